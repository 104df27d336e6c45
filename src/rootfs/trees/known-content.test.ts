import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { silent } from '../../core/events.ts';
import { tempDir } from '../../core/testing.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression, LayerBlob } from '../../layer/types.ts';
import { FACT, isFile, sizeOf } from '../../sys/path-facts.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { extractLayers } from '../extract/extract.ts';
import { fileBlob, fileOf, layerOf } from '../extract/testing.ts';
import { writeSnapshot } from '../snapshot/write.ts';
import { createKnownContent } from './known-content.ts';
import { previousContent } from './previous.ts';
import { scanTable } from './scan.ts';
import { type DirectoryTable, entriesOf, readTable, waitForTick } from './table.ts';
import { apply, change } from './testing.ts';

const syscalls = createSyscalls();

/** Every file of a table that holds anything, with its size. */
function filesOf(table: DirectoryTable, prefix = ''): (readonly [path: string, size: number])[] {
  return [...entriesOf(table)].flatMap(([name, { facts, inside }]) => {
    if (inside) return filesOf(inside, `${prefix}${name}/`);
    return isFile(facts) && sizeOf(facts) > 0 ? [[prefix + name, sizeOf(facts)] as const] : [];
  });
}

test('what is known of a tree, after whatever steps, is what its layers say', async (t) => {
  const base = tempDir(t);
  const steps = fc.array(fc.array(change, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 });
  let known = 0;
  let count = 0;
  await fc.assert(
    fc.asyncProperty(steps, async ([first, ...others]) => {
      count += 1;
      const dir = path.join(base, String(count));
      const [made, root] = [path.join(dir, 'made'), path.join(dir, 'root')];
      for (const each of [made, root]) fs.mkdirSync(each, { recursive: true });
      const layers: LayerBlob[] = [];
      const commit = async (at: string, before: DirectoryTable, compression: Compression) => {
        const table = readTable(syscalls, at, before);
        const previous = (wanted: ReadonlyMap<string, number>) => previousContent(layers, wanted);
        const deps = { syscalls, root: at, xattrs: new Map(), mtime: undefined, previous };
        const snapshot = await scanTable(before, table, deps);
        const writer = createFileLayerWriter(path.join(dir, `layer${layers.length}`), { compression });
        const { mediaType, digest, size, diffId, toc, file } = await writeSnapshot(
          snapshot,
          writer,
          syscalls,
        );
        layers.push({ mediaType, digest, size, diffId, ...(toc ? { toc } : {}), ...fileBlob(file) });
        return table;
      };
      const empty = readTable(syscalls, made);
      for (const each of first!) apply(made, each);
      await commit(made, empty, 'none');

      const content = createKnownContent();
      const request = { layers, target: root, privileged: true, emit: silent, digests: content.digests };
      await extractLayers(request, { sys: syscalls });
      let table = readTable(syscalls, root);
      content.extracted(table);
      const alone = filesOf(table).filter(([at]) => fs.lstatSync(path.join(root, at)).nlink === 1);
      assert.equal(
        content.at(
          table,
          alone.map(([at]) => at),
        ).size,
        alone.length,
      );
      for (const changes of others) {
        waitForTick(path.join(dir, 'tick'));
        for (const each of changes) apply(root, each);
        table = await commit(root, table, 'zstd');
        content.extracted(table);
        const files = new Map(filesOf(table));
        const found = content.at(table, files.keys());
        const told = await previousContent(layers, files);
        for (const [at, { sha256 }] of found) assert.equal(sha256, told.get(at)?.sha256, at);
        known += found.size;
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(known > 0);
});

test('of many files and of large ones nothing is remembered', async (t) => {
  const dir = tempDir(t);
  const root = path.join(dir, 'root');
  fs.mkdirSync(root);
  const files = ['a', 'b', 'c', 'd'].map((name) => fileOf(name, name));
  const large = fileOf('0', Buffer.alloc((1 << 20) + 1, 1));
  const content = createKnownContent(2);
  assert.equal(content.isSettled(), false);
  const layers = [await layerOf(dir, [large, ...files], 'gzip')];
  const request = { layers, target: root, privileged: true, emit: silent, digests: content.digests };
  await extractLayers(request, { sys: syscalls });
  const table = readTable(syscalls, root);
  assert.deepEqual([...content.at(table, ['a']).keys()], [], 'nothing before the facts are known');
  content.extracted(table);
  assert.equal(content.isSettled(), true);
  assert.deepEqual([...content.at(table, ['0', 'a', 'b', 'c', 'd', 'e']).keys()], ['a', 'b']);
});

test('any other fact of a file makes it unknown', async (t) => {
  const dir = tempDir(t);
  const layers = [await layerOf(dir, [fileOf('a', 'a'), fileOf('b', 'b')], 'gzip')];
  const root = path.join(dir, 'root');
  fs.mkdirSync(root);
  const content = createKnownContent();
  const request = { layers, target: root, privileged: true, emit: silent, digests: content.digests };
  await extractLayers(request, { sys: syscalls });
  const table = readTable(syscalls, root);
  content.extracted(table);
  for (const [fact, at] of Object.entries(FACT)) {
    const rows = table.rows.slice();
    rows[at] = (rows[at]! ^ 1) >>> 0;
    const [touched] = entriesOf(table).keys();
    const found = [...content.at({ ...table, rows }, ['a', 'b']).keys()];
    assert.deepEqual(
      found,
      ['a', 'b'].filter((name) => name !== touched),
      fact,
    );
  }
});
