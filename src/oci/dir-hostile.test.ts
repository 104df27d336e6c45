import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { tempDir } from '../core/testing.ts';
import { createKanikoStore, kanikoFiles } from './base-cache/kaniko-store.ts';
import { bytesSource } from './blob-source.ts';
import { createDirectoryStore } from './dir-store.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { createOciLayoutStore } from './oci-layout.ts';
import type { Store } from './types.ts';

const BLOB = Buffer.from('a layer');
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf('{}'), size: 2 },
    layers: [{ mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf(BLOB), size: BLOB.length }],
  }),
);

/** Everything that a store does, each with what it gave or the code that it failed with. */
async function useAll(store: Store): Promise<readonly string[]> {
  const said: string[] = [];
  const all = async (): Promise<readonly (() => Promise<unknown>)[]> => [
    () => store.has(digestOf(BLOB)),
    async () => Array.fromAsync(await store.get(digestOf(BLOB))),
    async () => Array.fromAsync(await store.get(digestOf(BLOB), { offset: 1, length: 2 })),
    async () => store.readInto?.(digestOf(BLOB), 0, new Uint8Array(4)),
    () => store.resolve('a-tag'),
    () => store.resolve(digestOf(MANIFEST)),
    () => store.put(bytesSource(BLOB)),
    () => store.put(bytesSource(Buffer.from('{}'))),
    () => store.put(bytesSource(Buffer.from('another'))),
    () => store.tag(MANIFEST, MEDIA_TYPES.ociManifest, 'a-tag'),
    async () => store.create?.(MANIFEST, MEDIA_TYPES.ociManifest, ['made']),
    async () => store.drop?.('a-tag', digestOf(MANIFEST)),
  ];
  for (const work of await all()) {
    try {
      await work();
      said.push('done');
    } catch (error) {
      assert.ok(error instanceof AppError, `no error of ours: ${(error as Error).stack}`);
      assert.notEqual(error.code, 'INTERNAL', error.message);
      said.push(error.code);
    }
  }
  return said;
}

const seen = (directory: string): string =>
  execFileSync('find', [directory, '-printf', '%P %y %m %s %T@ %i %n %l\\n'], { encoding: 'utf8' })
    .split('\n')
    .sort()
    .join('\n');

/** A directory outside, old enough for everything that clears up. */
function outside(t: TestContext): string {
  const dir = join(tempDir(t), 'outside');
  for (const name of ['a/current', 'a-tag/current', 'sha256', 'sub/data'])
    mkdirSync(join(dir, name), { recursive: true });
  for (const name of ['data', 'link', 'a/current/link', 'a-tag/current/link', 'sub/data/x'])
    writeFileSync(join(dir, name), digestOf(MANIFEST));
  for (const name of readdirSync(dir, { recursive: true })) utimesSync(join(dir, String(name)), 1, 1);
  return dir;
}

/** Everything in a directory, deepest last. */
const below = (root: string): string[] => readdirSync(root, { recursive: true }).map(String).sort();

async function filled(root: string, open: (root: string) => Store): Promise<void> {
  const store = open(root);
  await store.put(bytesSource(BLOB));
  await store.put(bytesSource(Buffer.from('{}')));
  await store.tag(MANIFEST, MEDIA_TYPES.ociManifest, 'a-tag');
}

const LAYOUTS: Readonly<Record<string, (root: string) => Store>> = {
  'a layer cache': (root) => createDirectoryStore({ root, repository: 'local/cache' }),
  'an OCI layout': createOciLayoutStore,
};

for (const [name, open] of Object.entries(LAYOUTS)) {
  test(`${name} with a link in any place leads nowhere`, async (t) => {
    const dir = outside(t);
    const all = tempDir(t);
    const whole = join(all, 'whole');
    await filled(whole, open);
    mkdirSync(join(whole, 'docker/registry/v2/repositories/local/cache/_uploads'), { recursive: true });
    if (name !== 'a layer cache') rmSync(join(whole, 'docker'), { recursive: true });
    const before = seen(dir);
    for (const path of below(whole)) {
      for (const target of [dir, join(dir, 'data'), relative(join(all, 'one', dirname(path)), dir)]) {
        const root = join(all, 'one');
        cpSync(whole, root, { recursive: true });
        rmSync(join(root, path), { recursive: true });
        symlinkSync(target, join(root, path));
        await useAll(open(root));
        assert.equal(seen(dir), before, `${path} -> ${target}`);
        rmSync(root, { recursive: true });
      }
    }
  });

  test(`${name} with things that are no files ends at once`, async (t) => {
    const all = tempDir(t);
    const whole = join(all, 'whole');
    await filled(whole, open);
    for (const path of below(whole)) {
      // Whoever reads a layer knows its size.
      const sparse = path.includes(hexOf(digestOf(BLOB)).slice(0, 9)) ? [] : ['truncate -s 1T X'];
      for (const make of ['mkfifo X', 'mkdir X', 'ln -s /dev/zero X', ...sparse]) {
        const root = join(all, 'one');
        cpSync(whole, root, { recursive: true });
        rmSync(join(root, path), { recursive: true });
        execFileSync('sh', ['-c', make.replace('X', '"$1"'), 'sh', join(root, path)]);
        await useAll(open(root));
        rmSync(root, { recursive: true });
      }
    }
  });
}

test('the directory itself may be named by a link, and works', async (t) => {
  const all = tempDir(t);
  mkdirSync(join(all, 'real'));
  symlinkSync('real', join(all, 'link'));
  for (const open of Object.values(LAYOUTS)) {
    await filled(join(all, 'link/new'), open);
    assert.notEqual(await open(join(all, 'link/new')).resolve('a-tag'), undefined);
    assert.equal(await open(join(all, 'real/new')).has(digestOf(BLOB)), BLOB.length);
    renameSync(join(all, 'real/new'), join(all, `old-${process.hrtime.bigint()}`));
  }
});

test('a directory of kaniko with links or things that are no files holds no image', async (t) => {
  const dir = tempDir(t);
  const digest = digestOf(MANIFEST);
  const { archive, manifest } = kanikoFiles(dir, digest);
  for (const make of ['mkfifo X', 'ln -s /dev/zero X', 'mkdir X', 'ln -s loop X', 'truncate -s 1T X']) {
    for (const path of [archive, manifest]) {
      const other = path === archive ? manifest : archive;
      writeFileSync(other, MANIFEST);
      execFileSync('sh', ['-c', make.replace('X', '"$1"'), 'sh', path]);
      assert.equal(await createKanikoStore(dir).resolve(digest), undefined, `${make} ${path}`);
      for (const each of [archive, manifest]) rmSync(each, { recursive: true, force: true });
    }
  }
  assert.deepEqual(readdirSync(dir), []);
});
