import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listCases, prepareCase } from './support/case.ts';
import { envbuilder } from './support/envbuilder.ts';
import { type Environment, missingService, openEnvironment } from './support/environment.ts';
import { listLayers } from './support/layer-list.ts';
import { caseArgs } from './support/oracle.ts';
import {
  type ContainerJob,
  type ContainerOptions,
  type ContainerOutcome,
  createOwnContainer,
  type OwnContainer,
  unpackRuntimeImage,
} from './support/own-container.ts';
import { readOciLayout } from './support/read-image.ts';

/** Parity cases whose layers have to be the same in place; between them they use every instruction and kind of mount. */
const SAME = [
  'add-archive-over',
  'copy-hard-links',
  'copy-onto-existing-dir',
  'debian-user',
  'from-scratch-run',
  'heredoc-run-shebang',
  'mount-bind-from',
  'mount-cache',
  'mount-secret',
  'mount-several',
  'mount-tmpfs',
  'run-delete-recreate',
  'run-network-files',
  'run-var-run',
  'run-xattrs',
  'stage-chain-of-ten',
  'stage-whole-root',
  'workdir-owner',
];

let environment: Environment;
let image: string;
before(async () => {
  environment = await openEnvironment(['registry', 'http']);
  image = await unpackRuntimeImage(environment.services.registry);
});
after(async () => {
  if (image) rmSync(image, { recursive: true, force: true });
  await environment.stop();
});

interface Trial {
  readonly container: OwnContainer;
  /** A directory that the container sees under the same name. */
  readonly dir: string;
  build(
    dockerfile: string,
    job?: Partial<ContainerJob>,
    options?: ContainerOptions,
  ): Promise<ContainerOutcome>;
  /** Entries of the layers of the last build, without those of its base. */
  layers(): Promise<string[][]>;
}

/** Calls `use` with a new container. */
async function trial(use: (trial: Trial) => Promise<void>): Promise<void> {
  const { services } = environment;
  const dir = join(services.dir, `inplace-${process.hrtime.bigint()}`);
  mkdirSync(join(dir, 'context'), { recursive: true });
  const container = createOwnContainer(image, services.dir);
  let builds = 0;
  let startedAt = 0;
  try {
    await use({
      container,
      dir,
      build: async (dockerfile, job = {}, options = {}) => {
        builds += 1;
        startedAt = Math.floor(Date.now() / 1000) - 1;
        const text = dockerfile.replaceAll('@REGISTRY@', services.registry!.host);
        writeFileSync(join(dir, 'context/Dockerfile'), text);
        const args = [
          ...(job.args ?? []),
          `--output=type=oci,dest=${join(dir, `layout${builds}`)}`,
          join(dir, 'context'),
        ];
        return container.build({ ...job, args }, options);
      },
      layers: async () => listLayers(await readOciLayout(join(dir, `layout${builds}`)), startedAt).slice(1),
    });
  } finally {
    container.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

for (const one of listCases().filter(({ name }) => SAME.includes(name))) {
  test(`the same layers in place as with overlay mounts: ${one.name}`, async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry', ...(one.options.needs ?? [])]);
    if (missing !== undefined) return t.skip(missing);
    const dir = join(services.dir, `inplace-${one.name}`);
    const prepared = await prepareCase(one, services, dir);
    const container = createOwnContainer(image, services.dir);
    try {
      const startedAt = Math.floor(Date.now() / 1000) - 1;
      const [overlay, here] = ['overlay', 'here'].map((name) => join(prepared.side, name));
      const args = caseArgs(one, prepared, 'envbuilder');
      const env = { ...one.options.secretEnv };
      const host = await envbuilder(['build', ...args, `--output=type=oci,dest=${overlay}`], { env });
      assert.equal(host.code, 0, host.output);
      const { error, output } = await container.build({
        args: [...args, `--output=type=oci,dest=${here}`],
        env,
      });
      assert.equal(error, undefined, `${error?.stack}\n${output}`);
      assert.deepEqual(
        listLayers(await readOciLayout(here!), startedAt),
        listLayers(await readOciLayout(overlay!), startedAt),
      );
    } finally {
      container.close();
      await prepared.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

test('with fixed times the layers are the same byte for byte', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS tools
    RUN mkdir /tool && echo run >/tool/run && chmod 755 /tool/run && find /tool | xargs touch -h -d @1600000000
    FROM @REGISTRY@/busybox:1
    RUN mkdir -p /etc /home/dev && echo dev:x:1000:1000::/home/dev:/bin/sh >>/etc/passwd && echo dev:x:1000: >>/etc/group && \\
        chown dev:dev /home/dev && for d in /proc /dev /sys; do touch -d @1600000000 $d 2>/dev/null || :; done && \\
        touch -d @1600000000 /etc/passwd /etc/group /home/dev /home /etc
    COPY --from=tools --chown=dev /tool/ /opt/
    RUN rm /bin/vi && ln -s /opt/run /bin/tool && touch -h -d @1600000000 /bin /bin/tool`;
  await trial(async ({ build, dir }) => {
    const { error, result, output } = await build(dockerfile);
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    const layout = join(dir, 'host');
    const args = ['build', `--output=type=oci,dest=${layout}`, join(dir, 'context')];
    const host = await envbuilder(args);
    assert.equal(host.code, 0, host.output);
    assert.deepEqual(
      result!.layers.map(({ digest }) => digest),
      layerDigests(layout),
    );
  });
});

function layerDigests(layout: string): string[] {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const [{ digest }] = read('index.json').manifests as [{ digest: string }];
  const { layers } = read(join('blobs', ...digest.split(':'))) as { layers: { digest: string }[] };
  return layers.map((layer) => layer.digest);
}

test('afterwards the root is the image, and what is not ours is as it was', async () => {
  await trial(async ({ container, build, layers, dir }) => {
    mkdirSync(join(dir, 'volume'));
    writeFileSync(join(dir, 'volume/precious'), 'precious');
    container.prepare(`
      for at in lib/modules usr/lib/gpu var/run/secrets data; do
        mkdir -p "$root/$at" && mount --bind ${dir}/volume "$root/$at"
      done
      mount -o remount,bind,ro "$root/lib/modules"
      mkdir -p "$root/usr/lib/x86_64-linux-gnu" "$root/workspaces/app" "$root/old/stuff"
      touch "$root/usr/lib/x86_64-linux-gnu/libgpu.so.1"
      mount --bind ${dir}/volume/precious "$root/usr/lib/x86_64-linux-gnu/libgpu.so.1"
      echo mine >"$root/workspaces/app/code"; echo old >"$root/old/stuff/file"; ln -s /old "$root/gone"`);
    const dockerfile = `
      FROM @REGISTRY@/debian:bookworm AS first
      RUN test ! -e /old && test ! -L /gone && echo first >/first && cat /data/precious /workspaces/app/code
      FROM @REGISTRY@/debian:bookworm
      COPY --from=first /first /workspaces/app/from-image
      COPY --from=first /first /first
      RUN ls -l /lib/x86_64-linux-gnu/libc.so.6 && /lib64/ld-linux-x86-64.so.2 --version >/dev/null && \\
          echo x >/lib/added && echo y >/var/run/pid && ! touch /lib/modules/x && \\
          dpkg-query -W libc6 && useradd --create-home dev
      USER dev
      RUN id -un && test "$HOME" = /home/dev && test ! -w /etc/passwd`;
    const { error, output } = await build(dockerfile, { keep: ['/workspaces'] });
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    assert.match(output, /preciousmine\n/);
    assert.match(output, /\ndev\n/);
    const names = (await layers()).map((lines) => lines.map((line) => line.split(' ')[4]));
    assert.deepEqual(names[0], ['workspaces/', 'workspaces/app/', 'workspaces/app/from-image']);
    assert.ok(names[2]!.includes('usr/lib/added') && names[2]!.includes('run/pid'), names[2]!.join(' '));
    const foreign = names.flat().filter((name) => /modules|gpu|secrets|^data|envbuilder|^old/.test(name!));
    assert.deepEqual(foreign, []);
    assert.deepEqual(readdirSync(join(dir, 'volume')), ['precious']);
    assert.equal(readFileSync(join(dir, 'volume/precious'), 'utf8'), 'precious');
    const root = container.upper;
    assert.equal(readFileSync(join(root, 'workspaces/app/code'), 'utf8'), 'mine\n');
    assert.equal(readFileSync(join(root, 'first'), 'utf8'), 'first\n');
    assert.deepEqual(
      readdirSync(root).filter((name) => ['old', 'gone'].includes(name)),
      [],
    );
    assert.deepEqual(readdirSync(join(root, '.envbuilder')).sort(), ['work']);
    assert.deepEqual(readdirSync(join(root, '.envbuilder/work')), []);
  });
});
