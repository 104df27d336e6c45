/**
 * Flags of `docker build`, `docker buildx build` and of kaniko's executor that our `build` does not have, with what to do
 * instead: scripts that were written for those are what most people try first
 * (https://docs.docker.com/reference/cli/docker/buildx/build/, kaniko's README, "Additional Flags").
 */
export const FLAGS_OF_OTHERS: Readonly<Record<string, string>> = {
  '--load': 'write an archive with --output type=docker,dest=FILE, and load it with docker load --input FILE',
  '--quiet':
    'standard output has the digest and nothing else; leave the flag out, and send standard error elsewhere',
  '-q': 'standard output has the digest and nothing else; leave the flag out, and send standard error elsewhere',
  '--iidfile': 'standard output has the digest: redirect it into the file, or take --metadata-file',
  '--cache-from': 'name the cache with --cache-repo or --layer-cache-dir; --cache-trusted-repos is only read',
  '--cache-to': 'name the cache with --cache-repo or --layer-cache-dir, which is read and written',
  '--cache': 'name the cache with --cache-repo or --layer-cache-dir, which is read and written',
  '--cache-dir': 'the cache of layers is --layer-cache-dir, that of base images --base-image-cache-dir',
  '--cache-ttl': 'write the days with --cache-ttl-days',
  '--no-cache-filter': 'build without the cache with --no-cache, or change an ARG of that stage',
  '--attest': 'write --sbom for type=sbom, and --provenance for type=provenance',
  '--annotation': 'annotations of your own are not had; --label is in the config of the image',
  '--network': 'write RUN --network=none, or =host with --allow network.host, in the Dockerfile',
  '--add-host':
    'a RUN has the names of /etc/hosts of the machine or container that envbuilder runs in: add it there',
  '--shm-size': 'a RUN has 64 MiB in /dev/shm; mount more with RUN --mount=type=tmpfs,target=DIR,size=N',
  '--ulimit':
    'a RUN has the limits of envbuilder itself: set them before it with ulimit, or of its container',
  '--memory': 'a RUN has the limits of envbuilder itself: limit the container or the cgroup that it runs in',
  '-m': 'a RUN has the limits of envbuilder itself: limit the container or the cgroup that it runs in',
  '--cgroup-parent':
    'a RUN has the limits of envbuilder itself: limit the container or the cgroup that it runs in',
  '--builder': 'there is no builder to choose: leave the flag out',
  '--rm': 'nothing is left of a step: leave the flag out',
  '--force-rm': 'nothing is left of a step: leave the flag out',
  '--squash': 'layers are kept apart, so that they can be cached: leave the flag out',
  '--destination': 'write --tag, with --push',
  '-d': 'write --tag, with --push',
  '--no-push': 'nothing is pushed without --push: leave the flag out',
  '--context': 'the context is the argument: envbuilder build DIR',
  '-c': 'the context is the argument: envbuilder build DIR',
  '--dockerfile': 'write --file',
  '--tar-path': 'write --output type=docker,dest=FILE',
  '--oci-layout-path': 'write --output type=oci,dest=DIR',
  '--digest-file': 'standard output has the digest: redirect it into the file, or take --metadata-file',
  '--skip-tls-verify': 'write --insecure, or --insecure-registry HOST',
};
