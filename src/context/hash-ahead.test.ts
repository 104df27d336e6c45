import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { tempDir } from '../core/testing.ts';
import { placeNodes } from './copy-items.ts';
import { createDirectoryTree } from './dir-tree.ts';
import { createHashMemo } from './file-hash-memo.ts';
import { MANY_FILES } from './small-files.ts';
import { treeHash } from './tree-hash.ts';
import type { TreeNode } from './types.ts';

const COUNT = MANY_FILES + 500;
const contentOf = (index: number): string => `${index} `.repeat(index % 50);

/** A tree of many files, in directories of one to three thousand, and the memo of a process that begins much later. */
async function tree(t: TestContext, count = COUNT) {
  const dir = tempDir(t);
  for (let index = 0; index < count; index += 1) {
    const path = join(dir, fileAt(index));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contentOf(index));
  }
  const memo = createHashMemo(undefined, () => BigInt(Date.now() + 3_600_000) * 1_000_000n);
  const source = createDirectoryTree({ root: dir, name: 'the context', memo, xattrs: () => undefined });
  const nodes = await source.list('');
  return { dir, memo, source, nodes };
}

function fileAt(index: number): string {
  return index < 3000 ? `large/${index}` : `small/${index % 97}/${index}`;
}

const byPath = (nodes: Iterable<TreeNode>) => new Map(Array.from(nodes, (node) => [node.path, node]));

test('the memo learns of many files what it would learn of each', async (t) => {
  const { memo, nodes, source } = await tree(t);
  const open = readdirSync('/proc/self/fd').length;
  await source.hashAhead!(nodes);
  assert.equal(readdirSync('/proc/self/fd').length, open);
  const all = byPath(nodes);
  for (let index = 0; index < COUNT; index += 1) {
    const { version } = all.get(fileAt(index))!;
    assert.deepEqual(memo.get(version!), { digest: digestOf(contentOf(index)), plain: true });
  }
});

test('a hash of many files is what it is without threads', async (t) => {
  const { nodes, source } = await tree(t);
  const items = placeNodes(nodes, { source: 0, target: (path) => path });
  const { hashAhead: _, ...alone } = source;
  const options = { ownership: true };
  assert.equal(
    await treeHash(items, { ...options, tree: source }),
    await treeHash(items, { ...options, tree: alone }),
  );
});

test('of few files the memo learns nothing ahead', async (t) => {
  const { memo, nodes, source } = await tree(t, 100);
  await source.hashAhead!(nodes);
  assert.equal(memo.get(byPath(nodes).get(fileAt(7))!.version!), undefined);
});

test('what has attributes is not said to be plain, and with none read nothing is', async (t) => {
  const { dir, nodes } = await tree(t);
  const memo = createHashMemo(undefined, () => BigInt(Date.now() + 3_600_000) * 1_000_000n);
  const source = createDirectoryTree({ root: dir, name: 'the context', memo });
  await source.hashAhead!(nodes);
  assert.equal(memo.get(byPath(nodes).get(fileAt(7))!.version!)?.plain, false);
});

test('a file that is no longer as it was listed is not learnt', async (t) => {
  const { dir, memo, nodes, source } = await tree(t);
  const outside = tempDir(t);
  mkdirSync(join(outside, '7'));
  for (const index of [3015, 1]) writeFileSync(join(outside, '7', String(index)), contentOf(index));
  const changed = {
    rewritten: () => writeFileSync(join(dir, fileAt(1)), contentOf(1)),
    gone: () => rmSync(join(dir, fileAt(2))),
    linked: () => {
      rmSync(join(dir, fileAt(3)));
      symlinkSync(join(outside, '7/1'), join(dir, fileAt(3)));
    },
    touched: () => utimesSync(join(dir, fileAt(4)), 1, 1),
  };
  for (const change of Object.values(changed)) change();
  const behind = fileAt(3000 + 97 * 3);
  renameSync(dirname(join(dir, behind)), join(dir, 'moved'));
  symlinkSync(join(outside, '7'), dirname(join(dir, behind)));
  await source.hashAhead!(nodes);
  const all = byPath(nodes);
  for (const path of [1, 2, 3, 4].map(fileAt).concat(behind))
    assert.equal(memo.get(all.get(path)!.version!), undefined, path);
  assert.equal(memo.get(all.get(fileAt(5))!.version!)?.digest, digestOf(contentOf(5)));
});

test('a file that was written a moment ago is not learnt: it may change and keep its time', async (t) => {
  const { dir, nodes } = await tree(t);
  const memo = createHashMemo();
  const source = createDirectoryTree({ root: dir, name: 'the context', memo });
  writeFileSync(join(dir, fileAt(COUNT)), contentOf(COUNT));
  const again = await source.list('');
  assert.equal(again.length, nodes.length + 1);
  await source.hashAhead!(again);
  assert.equal(memo.get(byPath(again).get(fileAt(COUNT))!.version!), undefined);
});
