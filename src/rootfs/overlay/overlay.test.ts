import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silent } from '../../core/events.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createRunner } from '../../sys/run.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { extractLayers } from '../extract/extract.ts';
import { entryOf, fileOf, layerOf } from '../extract/testing.ts';
import { resolveInRoot } from '../resolve-in-root.ts';
import { sh, step } from '../testing.ts';
import type { StagedLayer } from '../types.ts';
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
