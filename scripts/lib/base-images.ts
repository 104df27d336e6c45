import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, temporaryDir } from './cache-dir.ts';
import { ensurePackages } from './debian.ts';
import { type PushedManifest, pushImage, pushIndex } from './push-image.ts';
import { run, step } from './shell.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const otherArchitecture = architecture === 'arm64' ? 'amd64' : 'arm64';
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The gzip-compressed tar of a small Debian 12, made from packages once and kept. */
export async function debianLayer(): Promise<string> {
  const extra = ['ca-certificates', 'libcap2-bin'];
  return cached('debian-bookworm.tar.gz', { extra, version: 2 }, async (file) => {
    await ensurePackages(['mmdebstrap', 'ca-certificates']);
    await step('Making a Debian base image from packages', () =>
      run(
        'mmdebstrap',
        [
          '--quiet',
          '--mode=root',
          '--variant=minbase',
          '--format=tar',
          '--aptopt=Acquire::Check-Valid-Until "false"',
          '--dpkgopt=path-exclude=/usr/share/man/*',
          '--dpkgopt=path-exclude=/usr/share/doc/*',
          '--dpkgopt=path-exclude=/usr/share/locale/*',
          `--include=${extra.join(',')}`,
          // Debian's own images leave devices out; Docker mounts its own.
          '--skip=output/dev',
          'bookworm',
          `${file}.tar`,
        ],
        { env: { SOURCE_DATE_EPOCH: '1704067200' } },
      ).then(async () => {
        await run('gzip', ['--no-name', '-5', `${file}.tar`]);
        await run('mv', [`${file}.tar.gz`, file]);
      }),
    );
  });
}

/** Layers with BusyBox under /bin and the few files and directories that commands expect; a second one with odd metadata. */
async function busyboxLayers(): Promise<readonly string[]> {
  await ensurePackages(['busybox-static']);
  const dir = await cached('busybox', { version: 3 }, async (out) => {
    const root = temporaryDir('busybox');
    try {
      for (const name of [
        'bin',
        'etc',
        'proc',
        'sys',
        'dev',
        'usr/bin',
        'usr/sbin',
        'sbin',
        'var/lib',
        'run',
        'home',
      ]) {
        mkdirSync(join(root, name), { recursive: true });
      }
      mkdirSync(join(root, 'root'), { mode: 0o700 });
      await run('install', ['-d', '-m', '1777', join(root, 'tmp')]);
      await run('install', ['-m', '755', '/bin/busybox', join(root, 'bin/busybox')]);
      for (const applet of (await run('/bin/busybox', ['--list'])).trim().split('\n')) {
        if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
      }
      writeFileSync(
        join(root, 'etc/passwd'),
        'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nuser:x:1000:1000:User:/home/user:/bin/sh\n',
      );
      writeFileSync(
        join(root, 'etc/group'),
        'root:x:0:\ndaemon:x:1:\nstaff:x:50:user\nuser:x:1000:\nextra:x:2000:user,daemon\n',
      );
      symlinkSync('../run', join(root, 'var/run'));
      mkdirSync(out);
      await run('/bin/sh', ['-c', tar(root, join(out, '0.tar.gz'))]);
      await run('/bin/sh', ['-c', `cd "$1" && rm -rf ./* && ${oddLayer}`, 'sh', root]);
      await run('/bin/sh', ['-c', tar(root, join(out, '1.tar.gz'))]);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
  return [join(dir, '0.tar.gz'), join(dir, '1.tar.gz')];
}

/** Owners, modes, hard links and links that a copy or a cached layer must keep. */
const oddLayer = `
mkdir -p base/dir base/full/sub base/sticky base/empty home/user
echo one > base/one; echo two > base/two; ln base/one base/one-again; ln -s one base/link; ln -s /base/full base/dirlink
echo a > base/full/a; echo b > base/full/sub/b; echo "set" > base/setuid
chown 1000:1000 base/dir home/user; chmod 4755 base/setuid; chmod 1777 base/sticky; chmod 2750 base/dir
chown 12345:23456 base/two; chmod 600 base/two`;

function tar(root: string, file: string): string {
  const options =
    '--sort=name --numeric-owner --mtime=@1704067200 --format=posix --pax-option=delete=atime,delete=ctime';
  return `tar -C '${root}' ${options} --transform='s,^\\./,,' -cf - . | gzip -n -6 > '${file}'`;
}

/** A configuration with a value in every field that a Dockerfile can inherit. */
const richConfig = {
  User: 'user:staff',
  ExposedPorts: { '8080/tcp': {} },
  Env: [path, 'FROM_BASE=base value', 'EMPTY=', 'QUOTED=a "b" c'],
  Entrypoint: ['/bin/sh', '-c'],
  Cmd: ['echo from base'],
  Volumes: { '/data': {} },
  WorkingDir: '/home/user',
  Labels: { 'org.example.base': 'yes', shared: 'base' },
  StopSignal: 'SIGQUIT',
  Shell: ['/bin/busybox', 'sh', '-ec'],
  Healthcheck: { Test: ['CMD', '/bin/true'], Interval: 5_000_000_000, Timeout: 1_000_000_000, Retries: 2 },
};

const onbuildConfig = {
  Env: [path],
  Cmd: ['/bin/sh'],
  OnBuild: [
    'ENV TRIGGERED=yes',
    'WORKDIR /triggered',
    'COPY . /triggered/src',
    'RUN echo $TRIGGERED > /triggered/out',
  ],
};

/** Configurations that other programs write, and that lack what Docker's images have. */
const poorConfigs = {
  empty: {},
  env: { Env: ['A=1', 'BARE', 'A=2', 'EMPTY='] },
  relative: { Env: [path], WorkingDir: 'rel/dir' },
  missing: { Env: [path], WorkingDir: '/not/there', User: 'user' },
};

/**
 * Fills a registry with the images that the cases build on: `busybox:1` (Docker media types, gzip, two layers),
 * `busybox:zstd` (OCI, zstd), `rich:1` (a full configuration), `onbuild:1`, `multi:1` (an index of two platforms),
 * `debian:bookworm` (OCI), `pause:1`, whose command waits, and `poor:…`, one for each of `poorConfigs`.
 * @param host `127.0.0.1:port`
 */
export async function pushBaseImages(host: string): Promise<void> {
  await ensurePackages(['skopeo', 'zstd']);
  const busybox = await busyboxLayers();
  const debian = await debianLayer();
  const plain = { Env: [path], Cmd: ['/bin/sh'] };
  const docker = { layers: busybox, architecture, family: 'docker' } as const;
  await pushImage(host, 'busybox', '1', { ...docker, config: plain });
  await pushImage(host, 'rich', '1', { ...docker, family: 'oci', config: richConfig });
  await pushImage(host, 'onbuild', '1', { ...docker, config: onbuildConfig });
  await pushImage(host, 'pause', '1', { ...docker, config: { Entrypoint: ['/bin/sleep', 'infinity'] } });
  for (const [tag, config] of Object.entries(poorConfigs))
    await pushImage(host, 'poor', tag, { ...docker, family: 'oci', config });
  await pushMulti(host, busybox);
  await pushImage(host, 'debian', 'bookworm', {
    layers: [debian],
    architecture,
    family: 'oci',
    config: plain,
  });
  await zstdCopy(host);
}

async function pushMulti(host: string, layers: readonly string[]): Promise<void> {
  const images: { manifest: PushedManifest; platform: Record<string, string> }[] = [];
  for (const arch of [otherArchitecture, architecture]) {
    const config = { Env: [path, `BUILT_FOR=${arch}`], Cmd: ['/bin/sh'] };
    const manifest = await pushImage(host, 'multi', undefined, {
      layers,
      architecture: arch,
      family: 'oci',
      config,
    });
    images.push({ manifest, platform: { os: 'linux', architecture: arch } });
  }
  await pushIndex(host, 'multi', '1', 'oci', images);
}

/** skopeo recompresses, so this image has zstd layers as another program writes them. */
async function zstdCopy(host: string): Promise<void> {
  const dir = temporaryDir('skopeo');
  try {
    await run('skopeo', [
      'copy',
      '--quiet',
      '--insecure-policy',
      '--format=oci',
      '--src-tls-verify=false',
      '--dest-compress',
      '--dest-compress-format=zstd',
      `docker://${host}/busybox:1`,
      `oci:${dir}:zstd`,
    ]);
    await run('skopeo', [
      'copy',
      '--quiet',
      '--insecure-policy',
      '--dest-tls-verify=false',
      `oci:${dir}:zstd`,
      `docker://${host}/busybox:zstd`,
    ]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
