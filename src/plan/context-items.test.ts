import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyItems, SourceTree } from '../context/types.ts';
import { contextItems, hashedItems, hashItems } from './context-items.ts';
import { memoryTree } from './testing.ts';

/** What a tree has been asked for. */
function ask(tree: SourceTree) {
  const lists = { times: 0 };
  const list = async (from: SourceTree): Promise<CopyItems> => {
    lists.times += 1;
    return contextItems(from, 'd');
  };
  return { lists, found: hashedItems(tree, { paths: ['d'], question: null, list }) };
}

test('remembered files are listed when they are wanted, and have to be those that were hashed', async () => {
  const files = memoryTree({ 'd/a': 'one', 'd/b': 'two' });
  const hash = await hashItems(files, await contextItems(files, 'd'));

  const known = ask({ ...files, remembered: async () => hash });
  const { treeHash, items } = await known.found;
  assert.deepEqual([treeHash, known.lists.times], [hash, 0]);
  assert.deepEqual(
    Array.from(await items(), ({ target }) => target),
    ['', 'a', 'b'],
  );
  await items();
  assert.equal(known.lists.times, 1);

  const unknown = ask({ ...files, remembered: async (_paths, _question, compute) => compute(files) });
  assert.equal((await unknown.found).treeHash, hash);
  await (await unknown.found).items();
  assert.equal(unknown.lists.times, 1);

  const changed = memoryTree({ 'd/a': 'one', 'd/b': 'changed' });
  const stale = await ask({ ...changed, remembered: async () => hash }).found;
  await assert.rejects(stale.items(), { code: 'CONTEXT', message: /changed while/ });
  await assert.rejects(stale.items(), { code: 'CONTEXT' });
});

test('a long list is the same each time, and its length is known once it has been listed', async () => {
  const names = Array.from({ length: 20_001 }, (_, i) => `d/${i}`);
  const files = memoryTree(Object.fromEntries(names.map((name) => [name, ''])));
  const hash = await hashItems(files, await contextItems(files, 'd'));
  const { items, itemCount } = await ask({ ...files, remembered: async () => hash }).found;
  assert.equal(itemCount(), undefined);
  const targets = Array.from(await items(), ({ target }) => target);
  assert.equal(itemCount(), 1 + names.length);
  assert.deepEqual(
    Array.from(await items(), ({ target }) => target),
    targets,
  );
});
