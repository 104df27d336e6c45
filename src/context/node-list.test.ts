import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { comparePaths, fsPath } from '../core/path-bytes.ts';
import { FACT, FACT_WORDS, type PathFacts } from '../sys/path-facts.ts';
import { EMPTY_FILE } from '../tar/empty-file.ts';
import { joinItems, placeNodes } from './copy-items.ts';
import { createDirectoryTree } from './dir-tree.ts';
import { createMatcher } from './ignore-matcher.ts';
import { createNodeList, type NodeExtras } from './node-list.ts';
import type { CopyItem, TreeNode } from './types.ts';

const scratch = mkdtempSync(join(tmpdir(), 'node-list-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const names = fc.constantFrom('a', 'b', 'a.c', 'a-', 'ä', '\udcff', 'a\u{10000}', 'x'.repeat(200));
const paths = fc.array(names, { maxLength: 4 }).map((parts) => parts.join('/'));

test('a list gives back what it was given, without what was taken out', () => {
  const node = fc.record({
    path: paths,
    uid: fc.nat(),
    ctime: fc.nat(),
    extras: fc.option(fc.record({ linkname: paths }), { nil: undefined }),
    dropped: fc.boolean(),
  });
  const made = (path: string, facts: PathFacts, extras: NodeExtras | undefined): TreeNode => ({
    ...EMPTY_FILE,
    path,
    uid: facts[FACT.uid]!,
    mtime: facts[FACT.ctime]!,
    linkname: extras?.linkname ?? 'none',
  });
  fc.assert(
    fc.property(fc.array(node, { maxLength: 30 }), (all) => {
      const list = createNodeList(made);
      const kept: TreeNode[] = [];
      for (const { path, uid, ctime, extras, dropped } of all) {
        const facts = new Uint32Array(FACT_WORDS);
        facts[FACT.uid] = uid;
        facts[FACT.ctime] = ctime;
        const row = list.add(path, facts, extras);
        if (dropped) {
          list.drop(row);
          list.drop(row);
        } else kept.push(made(path, facts, extras));
        assert.equal(list.length, kept.length);
      }
      assert.deepEqual([...list], kept);
      for (let index = 0; index <= kept.length; index += 1) assert.deepEqual(list.at(index), kept[index]);
    }),
  );
});

test('items are made of nodes as they are placed, and lists stand one behind the other', () => {
  const sizes = fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 6 });
  fc.assert(
    fc.property(sizes, (lists) => {
      const expected: CopyItem[] = [];
      const placed = lists.map(([size, some], source) => {
        const nodes = Array.from({ length: size }, (_, i): TreeNode => {
          const node = { ...EMPTY_FILE, path: `s/${i}` };
          return i % 3 === 0 ? { ...node, hardlink: 'x' } : node;
        });
        for (const node of nodes.filter((_, i) => !some || i % 2 === 0)) {
          const linked = node.hardlink === undefined ? node : { ...node, hardlink: `${source} x` };
          expected.push({ node: linked, target: node.path.slice(2), source });
        }
        const keeps = (target: string): boolean => Number(target) % 2 === 0;
        return placeNodes(nodes, { source, target: (path) => path.slice(2), ...(some ? { keeps } : {}) });
      });
      const items = joinItems(placed);
      assert.equal(items.length, expected.length);
      assert.deepEqual([...items], expected);
      for (let index = 0; index <= expected.length; index += 1)
        assert.deepEqual(items.at(index), expected[index]);
    }),
  );
});

test('files are listed in the order of the bytes of their paths, with the directories that lead to one', async () => {
  let count = 0;
  const files = fc.array(
    fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    { minLength: 1, maxLength: 8 },
  );
  const patterns = fc.constantFrom<string[][]>([], ['a'], ['*', '!a/b'], ['**/a.c', '!ä'], ['**', '!**/b']);
  await fc.assert(
    fc.asyncProperty(files, patterns, async (all, ignored) => {
      count += 1;
      const root = join(scratch, String(count));
      mkdirSync(root);
      const made = all.filter((path) => write(root, path));
      const ignore = createMatcher(ignored);
      const list = await createDirectoryTree({ root, name: 'x', ignore }).list('');
      const found = Array.from(list, ({ path }) => path);
      const expected = new Set(['']);
      for (const path of all.flatMap(parts)) {
        const below = made.some((file) => file.startsWith(`${path}/`) && !ignore.matches(file));
        const isThere = made.includes(path) || made.some((file) => file.startsWith(`${path}/`));
        if (isThere && (below || !ignore.matches(path))) expected.add(path);
      }
      // Directories that are left out by nothing stay, empty or not.
      assert.deepEqual(found, [...expected].sort(comparePaths));
    }),
    { numRuns: 30 },
  );
});

function parts(path: string): string[] {
  const all = path.split('/');
  return all.map((_, i) => all.slice(0, i + 1).join('/'));
}

/** Whether the file could be made where others are. */
function write(root: string, path: string): boolean {
  try {
    const file = `${root}/${path}`;
    mkdirSync(fsPath(dirname(file)), { recursive: true });
    writeFileSync(fsPath(file), '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
