import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeTree } from './remove-tree.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-remove-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('a tree is deleted with files whose names are no text, and nothing that a symlink leads to', () => {
  const [tree, other] = [join(scratch, 'tree'), join(scratch, 'other')];
  for (const path of [join(tree, 'a/b'), other]) mkdirSync(path, { recursive: true });
  writeFileSync(join(other, 'file'), '');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.of(0xff, 0x41)]), '');
  mkdirSync(Buffer.concat([Buffer.from(`${tree}/a/b/`), Buffer.of(0xc3)]));
  symlinkSync(other, join(tree, 'a/link'));
  assert.equal(removeTree(tree), true);
  assert.equal(existsSync(tree), false);
  assert.deepEqual(readdirSync(other), ['file']);
  symlinkSync(other, tree);
  assert.equal(removeTree(tree), true);
  assert.deepEqual(readdirSync(scratch), ['other']);
  assert.equal(removeTree(tree, { until: 0 }), true);
});

test('when time is up nothing more is deleted', (t) => {
  const tree = join(scratch, 'slow');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  for (let i = 0; i < 10; i += 1) writeFileSync(join(tree, `a/b/${i}`), '');
  assert.equal(removeTree(tree, { until: 0 }), false);
  assert.equal(readdirSync(join(tree, 'a/b')).length, 10);
  let now = 0;
  t.mock.method(performance, 'now', () => {
    now += 1;
    return now;
  });
  assert.equal(removeTree(tree, { until: 8 }), false);
  assert.equal(readdirSync(join(tree, 'a/b')).length, 6);
  assert.equal(removeTree(tree, { until: 100 }), true);
  assert.equal(existsSync(tree), false);
});

test('a tree is deleted that is deeper than any path that the kernel takes', () => {
  const tree = join(scratch, 'deep');
  const more = join(scratch, 'more');
  // Twice the path that the kernel takes, and more directories than a stack has frames.
  for (const [length, depth] of [
    [200, 40],
    [1, 12_000],
  ] as const) {
    mkdirSync(tree);
    // From below: each directory is made, and what there is is moved into it.
    mkdirSync(join(tree, 'd'.repeat(length)));
    writeFileSync(join(tree, 'd'.repeat(length), 'file'), '');
    for (let made = 1; made < depth; made += 1) {
      mkdirSync(more);
      renameSync(tree, join(more, 'd'.repeat(length)));
      renameSync(more, tree);
    }
    assert.equal(removeTree(tree), true);
    assert.equal(existsSync(tree), false);
  }
});
