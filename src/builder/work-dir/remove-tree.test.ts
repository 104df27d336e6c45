import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeTreeUntil } from './remove-tree.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-remove-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('a tree is deleted with files whose names are no text, and nothing that a symlink leads to', () => {
  const [tree, other] = [join(scratch, 'tree'), join(scratch, 'other')];
  for (const path of [join(tree, 'a/b'), other]) mkdirSync(path, { recursive: true });
  writeFileSync(join(other, 'file'), '');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.of(0xff, 0x41)]), '');
  mkdirSync(Buffer.concat([Buffer.from(`${tree}/a/b/`), Buffer.of(0xc3)]));
  symlinkSync(other, join(tree, 'a/link'));
  assert.equal(removeTreeUntil(tree, Number.POSITIVE_INFINITY), true);
  assert.equal(existsSync(tree), false);
  assert.deepEqual(readdirSync(other), ['file']);
  symlinkSync(other, tree);
  assert.equal(removeTreeUntil(tree, Number.POSITIVE_INFINITY), true);
  assert.deepEqual(readdirSync(scratch), ['other']);
  assert.equal(removeTreeUntil(tree, 0), true);
});

test('when time is up nothing more is deleted', (t) => {
  const tree = join(scratch, 'slow');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  for (let i = 0; i < 10; i += 1) writeFileSync(join(tree, `a/b/${i}`), '');
  assert.equal(removeTreeUntil(tree, 0), false);
  assert.equal(readdirSync(join(tree, 'a/b')).length, 10);
  let now = 0;
  t.mock.method(performance, 'now', () => {
    now += 1;
    return now;
  });
  assert.equal(removeTreeUntil(tree, 5), false);
  assert.equal(readdirSync(join(tree, 'a/b')).length, 6);
  assert.equal(removeTreeUntil(tree, 100), true);
  assert.equal(existsSync(tree), false);
});
