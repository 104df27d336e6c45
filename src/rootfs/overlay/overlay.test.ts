import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silent } from '../../core/events.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import { readLayer } from '../../layer/read-layer.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createRunner } from '../../sys/run.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { extractLayers } from '../extract/extract.ts';
import { entryOf, fileOf, layerOf } from '../extract/testing.ts';
import { resolveInRoot } from '../resolve-in-root.ts';
import type { RootfsState, RootfsStep, StagedLayer } from '../types.ts';
import { homeOf, lookupChown, lookupUser } from '../users.ts';
import { createOverlayBackend, type OverlayDeps } from './backend.ts';
import { layersKey } from './bases.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-overlay-'));
const syscalls = createSyscalls();
let backends = 0;
const opened: ReturnType<typeof createOverlayBackend>[] = [];
after(async () => {
  for (const backend of opened) await backend.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

function createBackend(
  name = 'w',
  extract: OverlayDeps['extract'] = (request) => extractLayers(request, { sys: syscalls }),
  sharedBases: ReadonlySet<string> = new Set(),
) {
  backends += 1;
  const workDir = join(scratch, `${name}${backends}`);
  mkdirSync(workDir);
  const backend = createOverlayBackend({
    workDir,
    syscalls,
    runner: createRunner(createSyscalls()),
    extract,
    sharedBases,
    createLayerWriter: (file, compression) => createFileLayerWriter(file, { compression }),
    emit: silent,
    signal: new AbortController().signal,
  });
  opened.push(backend);
  return backend;
}

/** Applies shell scripts one after the other, each as a step, and gives the entries of each layer. */
async function layersOf(...scripts: string[]): Promise<LayerEntry[][]> {
  const backend = createBackend();
  try {
    const found: LayerEntry[][] = [];
    let state = await backend.fromLayers([]);
    for (const script of scripts) {
      const { next, layer } = await step(state, (root) => sh(root, script));
      found.push(layer ? await entriesOf(layer) : []);
      state = next;
    }
    return found;
  } finally {
    await backend.dispose();
  }
}

async function step(state: RootfsState, change: (root: string, step: RootfsStep) => unknown) {
  const open = await state.begin();
  await change(open.root, open);
  const { state: next, layer } = await open.commit({ compression: 'zstd' });
  return { next, layer: await layer };
}

function sh(root: string, script: string): void {
  execFileSync('sh', ['-euc', `cd ${root}\n${script}`]);
}

async function entriesOf(layer: StagedLayer): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  for await (const { entry } of readLayer(createReadStream(layer.file), layer.mediaType, 'layer'))
    entries.push(entry);
  return entries;
}

const paths = (entries: readonly LayerEntry[] | undefined): string[] =>
  (entries ?? []).map((entry) => entry.path);

test('a deleted file and a deleted directory are whiteouts', async () => {
  const [, removed] = await layersOf('mkdir -p d/e; echo x >d/e/f; echo y >g', 'rm -r d/e g');
  assert.deepEqual(paths(removed), ['d', 'd/.wh.e', '.wh.g']);
});

test('a directory that was deleted and made again hides what it had', async () => {
  const [, again] = await layersOf('mkdir d; echo x >d/old', 'rm -r d; mkdir d; echo y >d/new');
  assert.deepEqual(paths(again), ['d', 'd/.wh..wh..opq', 'd/new']);
});

test('a renamed directory is complete under its new name', async () => {
  const [, renamed] = await layersOf('mkdir -p a/b; echo x >a/b/f', 'mv a z');
  assert.deepEqual(paths(renamed), ['.wh.a', 'z', 'z/b', 'z/b/f']);
});

test('types can change either way', async () => {
  const [, fileNow, dirNow] = await layersOf(
    'mkdir d; echo x >d/f',
    'rm -r d; echo file >d',
    'rm d; mkdir d; echo y >d/g',
  );
  assert.deepEqual(paths(fileNow), ['d']);
  assert.deepEqual(
    dirNow!.map(({ path, type }) => `${type} ${path}`),
    ['dir d', 'file d/g'],
  );
});

test('only what changed is there: modes and owners are a change, times of directories and reading are not', async () => {
  const [, chmod, none, touched] = await layersOf(
    'mkdir d tmp; echo x >d/f; echo y >d/g; chmod 1777 tmp',
    'chmod 600 d/f; chown 5:6 d/g',
    'touch tmp/x; rm tmp/x; cat d/f >/dev/null; chmod 600 d/f',
    'touch d/f',
  );
  assert.deepEqual(paths(chmod), ['d', 'd/f', 'd/g']);
  assert.deepEqual(none, []);
  assert.deepEqual(paths(touched), ['d', 'd/f']);
});

test('a file with its old size and time but other content is a change', async () => {
  const [, changed] = await layersOf('echo aaa >f; touch -d @1000 f', 'echo bbb >f; touch -d @1000 f');
  assert.deepEqual(paths(changed), ['f']);
});

test('hard links, symlinks, fifos, devices, sparse files, capabilities and sticky bits are kept; sockets are not', async () => {
  const [first] = await layersOf(`
    echo x >b; ln b a; ln -s b s; mkfifo p; mknod dev c 1 3; truncate -s 5M sparse; mkdir t; chmod 1777 t; chmod 4755 b
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
    setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 b 2>/dev/null || true`);
  const by = new Map(first!.map((entry) => [entry.path, entry]));
  assert.deepEqual([...by.keys()], ['a', 'b', 'dev', 'p', 's', 'sparse', 't']);
  assert.equal(by.get('a')!.mode, 0o4755);
  assert.deepEqual([by.get('b')!.type, by.get('b')!.linkname], ['hardlink', 'a']);
  assert.deepEqual([by.get('dev')!.devmajor, by.get('dev')!.devminor], [1, 3]);
  assert.equal(by.get('sparse')!.size, 5 * 1024 * 1024);
  assert.equal(by.get('t')!.mode, 0o1777);
});

test('the same change gives the same layer, byte for byte', async () => {
  const backend = createBackend();
  const base = await backend.fromLayers([]);
  const change = (root: string): void => {
    for (const name of ['x', 'y', 'z']) writeFileSync(join(root, name), name.repeat(1000));
    for (const name of ['x', 'y', 'z']) utimesSync(join(root, name), 1000, 1000);
  };
  const layers = [await step(base, change), await step(base, change)];
  assert.equal(layers[0]!.layer!.digest, layers[1]!.layer!.digest);
  await backend.dispose();
});

test('a step that is abandoned leaves nothing, and states stay as they were', async () => {
  const backend = createBackend();
  const base = await backend.fromLayers([]);
  const { next } = await step(base, (root) => sh(root, 'echo one >f'));
  const open = await next.begin();
  sh(open.root, 'echo two >f');
  await open.abandon();
  assert.equal(await next.read(async (root) => readFileSync(join(root, 'f'), 'utf8')), 'one\n');
  assert.equal(await base.read(async (root) => existsSync(join(root, 'f'))), false);
  await backend.dispose();
});

test('layers that were committed materialise to the same tree', async () => {
  const backend = createBackend();
  let state = await backend.fromLayers([]);
  const blobs: LayerBlob[] = [];
  for (const script of [
    'mkdir -p a/b; echo 1 >a/b/f; ln a/b/f a/b/g',
    'rm a/b/f; echo 2 >a/n; chown 7:8 a',
    'rm -r a/b; mkdir a/b; chmod 700 a/b',
  ]) {
    const { next, layer } = await step(state, (root) => sh(root, script));
    state = next;
    blobs.push(blobOf(layer!));
  }
  const listing = (root: string): string =>
    execFileSync('sh', [
      '-c',
      `cd ${root}; find . -type d -printf '%p d %m %U %G\n' -o -printf '%p %y %m %U %G %s %n\n' | sort`,
    ]).toString();
  const again = await createBackend().fromLayers(blobs);
  assert.equal(
    await again.read(async (root) => listing(root)),
    await state.read(async (root) => listing(root)),
  );
  await backend.dispose();
});

test('layers that lie on materialised ones are put on top of them', async () => {
  const maker = createBackend();
  const first = await step(await maker.fromLayers([]), (root) => sh(root, 'mkdir etc; echo x >etc/a'));
  const second = await step(first.next, (root) => sh(root, 'echo y >etc/b'));
  const third = await step(second.next, (root) => sh(root, 'rm etc/a; echo z >etc/c'));
  const [a, b, c] = [first, second, third].map(({ layer }) => blobOf(layer!)) as [
    LayerBlob,
    LayerBlob,
    LayerBlob,
  ];
  const asked: number[] = [];
  const backend = createBackend('w', (request) => {
    asked.push(request.layers.length);
    return extractLayers(request, { sys: syscalls });
  });
  const names = async (...layers: LayerBlob[]): Promise<string> =>
    (await backend.fromLayers(layers)).read(async (root) => readdirSync(join(root, 'etc')).join());
  assert.deepEqual(await Promise.all([names(a), names(a, b), names(a, b)]), ['a', 'a,b', 'a,b']);
  assert.deepEqual(asked, [1, 1]);
  // A whiteout is for the union.
  assert.equal(await names(a, b, c), 'b,c');
  assert.deepEqual(asked, [1, 1, 3]);
  const { next } = await step(await backend.fromLayers([a, b]), (root) =>
    sh(root, 'rm etc/b; mv etc/a etc/d'),
  );
  assert.equal(await next.read(async (root) => readdirSync(join(root, 'etc')).join()), 'd');
  await backend.dispose();
  await maker.dispose();
});

for (const [what, expected] of [
  ['when they come again', false],
  ['at once when others will come', true],
] as const)
  test(`layers without a table of contents are worth a base of their own ${what}`, async () => {
    const base = await layerOf(scratch, [entryOf('dir', 'etc'), fileOf('etc/base', 'x')], 'gzip');
    const above = await Promise.all(
      ['a', 'b', 'c'].map((name) => layerOf(scratch, [fileOf(`etc/${name}`, name)])),
    );
    const asked: number[] = [];
    const extract: OverlayDeps['extract'] = (request) => {
      asked.push(request.layers.length);
      return extractLayers(request, { sys: syscalls });
    };
    const backend = createBackend('w', extract, new Set(expected ? [layersKey([base.diffId])] : []));
    const states = await Promise.all(above.map((layer) => backend.fromLayers([base, layer])));
    const names = states.map((state) => state.read(async (root) => readdirSync(join(root, 'etc')).join()));
    assert.deepEqual(await Promise.all(names), ['a,base', 'b,base', 'base,c']);
    assert.deepEqual(asked.sort(), expected ? [1, 1, 1, 1] : [1, 1, 1, 2]);
    await backend.dispose();
  });

test('what cannot be put on top of a base that failed fails for itself', async () => {
  const maker = createBackend();
  const { next, layer } = await step(await maker.fromLayers([]), (root) => sh(root, 'echo x >a'));
  const other = await step(next, (root) => sh(root, 'echo y >b'));
  const broken = { ...blobOf(layer!), readRange: async () => Buffer.alloc(0) };
  const backend = createBackend();
  const asked = [backend.fromLayers([broken]), backend.fromLayers([broken, blobOf(other.layer!)])];
  for (const { status } of await Promise.allSettled(asked)) assert.equal(status, 'rejected');
  const good = await backend.fromLayers([blobOf(layer!), blobOf(other.layer!)]);
  assert.equal(await good.read(async (root) => readdirSync(root).join()), 'a,b');
  await backend.dispose();
  await maker.dispose();
});

test('two hundred steps on top of each other still mount, in a directory with a long path', async () => {
  const backend = createBackend('long-'.repeat(20));
  let state = await backend.fromLayers([]);
  for (let i = 0; i < 200; i += 1)
    ({ next: state } = await step(state, (root) => writeFileSync(join(root, `f${i}`), String(i))));
  assert.equal(
    await state.read(async (root) => execFileSync('ls', [root]).toString().trim().split('\n').length),
    200,
  );
  await backend.dispose();
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(`${scratch}/long-`));
});

test('mount points made for a RUN never enter a layer', async () => {
  const backend = createBackend();
  const empty = await backend.fromLayers([]);
  const { next } = await step(empty, (root) =>
    sh(root, `mkdir -p bin etc proc dev sys; cp /bin/busybox bin/sh`),
  );
  const resolv = join(scratch, 'resolv.conf');
  writeFileSync(resolv, 'nameserver 127.0.0.1\n');
  const open = await next.begin();
  const result = await open.run({
    argv: ['/bin/sh', '-c', 'cat /etc/resolv.conf && touch /deep/er/cache/x'],
    env: { PATH: '/bin' },
    cwd: '/',
    uid: 0,
    gid: 0,
    groups: [],
    mounts: [
      { type: 'bind', source: resolv, target: '/etc/resolv.conf', readonly: true },
      { type: 'tmpfs', target: '/deep/er/cache' },
    ],
    hostname: 'h',
    network: 'host',
    privileged: false,
    onOutput: () => {},
  });
  assert.equal(result.exitCode, 0);
  assert.equal(await (await open.commit({ compression: 'zstd' })).layer, undefined);
  await backend.dispose();
});

test('paths are resolved inside the root, however they try to leave', () => {
  const root = mkdtempSync(join(scratch, 'root-'));
  mkdirSync(join(root, 'run'));
  symlinkSync('/run', join(root, 'var-run'));
  symlinkSync('../../../etc', join(root, 'up'));
  symlinkSync('loop', join(root, 'loop'));
  const resolve = (path: string, followLast = true): string =>
    resolveInRoot(root, path, { followLast }).slice(root.length);
  assert.equal(resolve('/var-run/x'), '/run/x');
  assert.equal(resolve('/up/passwd'), '/etc/passwd');
  assert.equal(resolve('../../x'), '/x');
  assert.equal(resolve('/up', false), '/up');
  assert.throws(() => resolve('/loop/x'), { code: 'BUILD_FAILED', message: /symlinks/ });
  assert.ok(lstatSync(join(root, 'up')).isSymbolicLink());
});

test('users and groups are looked up in the image', () => {
  const root = mkdtempSync(join(scratch, 'users-'));
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1000:100::/home/app:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nusers:x:100:app\nstaff:x:50:app,other\n');
  assert.deepEqual(lookupUser(root, ''), { uid: 0, gid: 0, groups: [0] });
  assert.deepEqual(lookupUser(root, 'app'), { uid: 1000, gid: 100, groups: [100, 50] });
  assert.deepEqual(lookupUser(root, '1000'), { uid: 1000, gid: 100, groups: [100, 50] });
  assert.deepEqual(lookupUser(root, 'app:staff'), { uid: 1000, gid: 50, groups: [50] });
  assert.deepEqual(lookupUser(root, '4242'), { uid: 4242, gid: 0, groups: [0] });
  assert.throws(() => lookupUser(root, 'nobody'), { code: 'BUILD_FAILED', message: /nobody/ });
  assert.deepEqual(lookupChown(root, '55'), { uid: 55, gid: 55 });
  assert.deepEqual(lookupChown(root, 'app:staff'), { uid: 1000, gid: 50 });
  const bare = mkdtempSync(join(scratch, 'users-'));
  assert.deepEqual(lookupUser(bare, 'root'), { uid: 0, gid: 0, groups: [0] });
  assert.deepEqual(lookupChown(bare, 'root:root'), { uid: 0, gid: 0 });
  assert.equal(homeOf(root, 1000), '/home/app');
  assert.equal(homeOf(root, 4242), '/');
});

function blobOf(layer: StagedLayer): LayerBlob {
  const bytes = readFileSync(layer.file);
  const { file, tarSize, entryCount, ...facts } = layer;
  return {
    ...facts,
    from: file,
    open: async () => createReadStream(file),
    readRange: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}
