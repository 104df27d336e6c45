import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTree } from './tree.ts';

const NAMES = 50_000;
const EACH = 5;

test('a tree finds all that is in it, however often its table has grown', () => {
  for (let time = 0; time < EACH; time += 1) {
    const tree = createTree();
    const dirs = [tree.root];
    const nodes = Array.from({ length: NAMES }, (_, i) => {
      const parent = dirs[i % dirs.length]!;
      const node = tree.addDir(parent, `n${i}`, 0);
      if (i % 100 === 0) dirs.push(node);
      return { parent, name: `n${i}`, node };
    });
    const lost = () => nodes.filter(({ parent, name, node }) => tree.child(parent, name) !== node);
    assert.deepEqual(lost(), []);
    const gone = new Set(nodes.filter((_, i) => i % 3 === 1 && i % 100 !== 0).map(({ node }) => node));
    for (const node of gone) tree.detach(node);
    assert.deepEqual(
      lost().map(({ node }) => node),
      [...gone],
    );
  }
});
