/** A build argument that speaks to the builder, whether an ARG declares it or not. */
interface BuilderArg {
  readonly name: string;
  /** Whether it does here what it does under Docker. */
  readonly support: 'works' | 'no effect' | 'differs';
  /** One or two sentences for people. */
  readonly text: string;
}

/** Those of the Dockerfile reference ("BuildKit built-in build args"), and what each does here. */
export const BUILDER_ARGS: readonly BuilderArg[] = [
  {
    name: 'BUILDKIT_BUILD_NAME',
    support: 'no effect',
    text: 'Names a build in the history of a Docker engine, of which there is none here.',
  },
  {
    name: 'BUILDKIT_CACHE_MOUNT_NS',
    support: 'works',
    text: 'Keeps the cache mounts of builds apart: those of another name are other ones, and RUNs with them are other steps. `--state-dir` keeps all of them apart.',
  },
  {
    name: 'BUILDKIT_CONTEXT_KEEP_GIT_DIR',
    support: 'works',
    text: 'Keeps `.git` in a main context that is the URL of a repository.',
  },
  {
    name: 'BUILDKIT_DOCKERFILE_CHECK',
    support: 'works',
    text: 'Says which [checks](lint-rules.md) count, instead of `# check=` at the top of the file.',
  },
  {
    name: 'BUILDKIT_INLINE_CACHE',
    support: 'no effect',
    text: 'Would write cache metadata into the image; records of a cache stand beside it ([Explanation](../explanation.md)).',
  },
  {
    name: 'BUILDKIT_MULTI_PLATFORM',
    support: 'no effect',
    text: 'Would make an index of an image for one platform.',
  },
  {
    name: 'BUILDKIT_SANDBOX_HOSTNAME',
    support: 'works',
    text: 'The host name that a RUN sees, instead of `buildkitsandbox`; RUNs under another name are other steps.',
  },
  {
    name: 'BUILDKIT_SBOM_SCAN_CONTEXT',
    support: 'no effect',
    text: 'Would have the context scanned for an SBOM; no image is scanned here.',
  },
  {
    name: 'BUILDKIT_SBOM_SCAN_STAGE',
    support: 'no effect',
    text: 'Would have stages scanned for an SBOM; no image is scanned here.',
  },
  {
    name: 'BUILDKIT_SYNTAX',
    support: 'works',
    text: 'Names the front end, over `# syntax=` of the file. docker/dockerfile in any version is what is built in; another one is an error, or a warning with `--ignore-syntax`.',
  },
  {
    name: 'SOURCE_DATE_EPOCH',
    support: 'works',
    text: 'The time of the image, and with `--reproducible` of all files that the build adds, in seconds since 1970. What is no such number is an error, as under Docker.',
  },
];

const NAMES: ReadonlySet<string> = new Set(BUILDER_ARGS.map(({ name }) => name));

/** Whether a build argument means something without an ARG that declares it. */
export function isBuilderArg(name: string): boolean {
  return NAMES.has(name);
}
