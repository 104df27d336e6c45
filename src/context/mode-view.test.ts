import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { scratchDir } from '../core/testing.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { createAnswerMemo } from './answer-memo.ts';
import { createDirectoryTree } from './dir-tree.ts';
import { modeView } from './mode-view.ts';
import { resolveCopy } from './resolve-copy.ts';
import { treeHash } from './tree-hash.ts';

const scratch = scratchDir('modes');
let count = 0;

/** What a machine gives to the files of one commit: for the root, directories, files and programs. */
type Modes = readonly [root: number, directory: number, file: number, program: number];

function checkOut([root, directory, file, program]: Modes): string {
  count += 1;
  const path = join(scratch, `tree${count}`);
  mkdirSync(join(path, 'dir/sub'), { recursive: true });
  writeFileSync(join(path, 'dir/file'), 'file');
  writeFileSync(join(path, 'dir/sub/run'), 'run');
  chmodSync(join(path, 'dir/file'), file);
  chmodSync(join(path, 'dir/sub/run'), program);
  for (const name of ['dir/sub', 'dir']) chmodSync(join(path, name), directory);
  chmodSync(path, root);
  return path;
}

async function hashOf(root: string, checkout?: string): Promise<string> {
  const modes = modeView(root, checkout);
  const tree = createDirectoryTree({ root, name: 'a tree', ...(modes ? { modes } : {}) });
  const request = { sources: ['.'], excludes: [], parents: false, where: {} };
  return treeHash(await resolveCopy(tree, request), { ownership: false, tree });
}

/** Modes that one commit has on several machines. */
const MACHINES: Readonly<Record<string, Modes>> = {
  'umask 022': [0o755, 0o755, 0o644, 0o755],
  'umask 002': [0o775, 0o775, 0o664, 0o775],
  'umask 077': [0o700, 0o700, 0o600, 0o700],
  'a volume with a group': [0o2775, 0o2755, 0o644, 0o755],
  'a volume whose files were given to a group': [0o2775, 0o2775, 0o664, 0o775],
  'a read-only share': [0o555, 0o555, 0o444, 0o555],
};

test('a checkout has one hash, whatever machine it lies on', async () => {
  const hashes = await Promise.all(
    Object.values(MACHINES).map((modes) => {
      const path = checkOut(modes);
      return hashOf(path, path);
    }),
  );
  assert.equal(new Set(hashes).size, 1);
  const path = checkOut([0o755, 0o755, 0o755, 0o755]);
  assert.notEqual(await hashOf(path, path), hashes[0], 'git keeps whether a file can be executed');
});

test('below a checkout is a checkout, and beside it is none', async () => {
  const path = checkOut(MACHINES['umask 077']!);
  assert.equal(modeView(join(path, 'dir'), path)?.name, 'checkout');
  assert.equal(modeView(path, `${path}/dir`), undefined);
  assert.equal(modeView(`${path}2`, path), undefined);
});

test('a directory of the user keeps its modes, but for a set-gid bit that its root has too', async () => {
  const plain = await hashOf(checkOut(MACHINES['umask 022']!));
  assert.equal(await hashOf(checkOut(MACHINES['a volume with a group']!)), plain);
  assert.equal(await hashOf(checkOut([0o700, 0o755, 0o644, 0o755])), plain, 'the mode of the root');
  for (const modes of [
    MACHINES['umask 002']!,
    MACHINES['umask 077']!,
    [0o755, 0o2755, 0o644, 0o755],
    [0o2755, 0o2755, 0o2644, 0o755],
    [0o2755, 0o3755, 0o644, 0o755],
  ] as const)
    assert.notEqual(await hashOf(checkOut(modes)), plain, modes.map((mode) => mode.toString(8)).join(' '));
});

test('what is remembered of a tree is not taken where its modes are taken in another way', async () => {
  const path = checkOut(MACHINES['umask 077']!);
  const memo = createAnswerMemo();
  const ask = async (checkout?: string): Promise<string> => {
    const modes = modeView(path, checkout);
    const answers = { memo, syscalls: createSyscalls(), now: () => Date.now() + 60_000 };
    const tree = createDirectoryTree({ root: path, name: 'a tree', answers, ...(modes ? { modes } : {}) });
    return tree.remembered!(['dir'], null, async (from) =>
      digestOf(Array.from(await from.list('dir'), ({ mode }) => mode).join(' ')),
    );
  };
  assert.notEqual(await ask(), await ask(path));
  assert.equal(await ask(path), await ask(path));
});
