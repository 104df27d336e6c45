import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Digest } from '../core/digest.ts';
import { waitForTick } from '../rootfs/trees/table.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { type AnswerMemo, createAnswerMemo } from './answer-memo.ts';
import { createDirectoryTree } from './dir-tree.ts';
import { createMatcher } from './ignore-matcher.ts';
import { copiedPaths, resolveCopy } from './resolve-copy.ts';
import { treeHash } from './tree-hash.ts';
import type { SourceTree } from './types.ts';

const syscalls = createSyscalls();
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'envbuilder-state-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));
let count = 0;

function freshDir(): string {
  count += 1;
  const dir = path.join(base, String(count));
  fs.mkdirSync(dir);
  return dir;
}

const LATER = () => Date.now() + 60_000;

function treeOf(
  root: string,
  { patterns = [], memo, now = LATER }: { patterns?: string[]; memo?: AnswerMemo; now?: () => number } = {},
): SourceTree {
  return createDirectoryTree({
    root,
    name: 'the context',
    xattrs: (file) =>
      new Map(syscalls.listXattrs(file).map((name) => [name, syscalls.getXattr(file, name)!])),
    ...(patterns.length > 0 ? { ignore: createMatcher(patterns) } : {}),
    ...(memo ? { answers: { memo, syscalls, now } } : {}),
  });
}

interface Asked {
  readonly hash: Digest | string;
  readonly listed: boolean;
}

async function ask(
  tree: SourceTree,
  sources: readonly string[],
  excludes: readonly string[],
): Promise<Asked> {
  const request = { sources, excludes, parents: false, where: {} };
  let listed = false;
  const compute = async (from: SourceTree): Promise<Digest> => {
    listed = true;
    return treeHash(await resolveCopy(from, request), { ownership: false, tree });
  };
  try {
    const hash = await tree.remembered!(copiedPaths(request)!, { sources, excludes }, compute);
    return { hash, listed };
  } catch (error) {
    return { hash: String(error), listed };
  }
}

const somewhere = fc
  .array(fc.constantFrom('a', 'b', 'c.d'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const change = fc.record({
  kind: fc.constantFrom(
    ...([
      'write',
      'write',
      'write',
      'mkdir',
      'mkdir',
      'remove',
      'rename',
      'rename',
      'link',
      'symlink',
    ] as const),
    ...(['mode', 'xattr', 'back', 'swap', 'fifo'] as const),
  ),
  at: somewhere,
  to: somewhere,
  value: fc.constantFrom(0, 1, 2),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply(root: string, { kind, at, to, value }: Change): void {
  const [here, there] = [path.join(root, at), path.join(root, to)];
  try {
    if (kind === 'write') {
      fs.mkdirSync(path.dirname(here), { recursive: true });
      fs.writeFileSync(here, `${value}`);
    } else if (kind === 'mkdir') fs.mkdirSync(here, { recursive: true });
    else if (kind === 'remove') fs.rmSync(here, { recursive: true });
    else if (kind === 'rename') fs.renameSync(here, there);
    else if (kind === 'link') fs.linkSync(here, there);
    else if (kind === 'symlink') fs.symlinkSync(to, here);
    else if (kind === 'mode') fs.chmodSync(here, [0o755, 0o700, 0o644][value]!);
    else if (kind === 'xattr') syscalls.setXattr(here, 'user.x', Buffer.from(String(value)));
    else if (kind === 'swap') {
      fs.renameSync(here, `${root}-t`);
      fs.renameSync(there, here);
      fs.renameSync(`${root}-t`, there);
    }
    fs.lutimesSync(here, 1_600_000_000, 1_600_000_000);
  } catch (error) {
    assert.notEqual((error as NodeJS.ErrnoException).code, undefined, String(error));
  }
}

test('what is remembered of files is what they hash to, whatever happened to them', async () => {
  const seen = new Set<string>();
  let remembered = 0;
  const patterns = fc.constantFrom<string[][]>(
    [],
    ['c.d'],
    ['a/*', '!a/b'],
    ['**/b'],
    ['*', '!a', '!c.d/b/a'],
  );
  const steps = fc.array(fc.array(change, { maxLength: 6 }), { minLength: 2, maxLength: 5 });
  const sources = fc.constantFrom(['.'], ['a'], ['/b/'], ['a', 'c.d'], ['a/b']);
  const excludes = fc.constantFrom<string[][]>([], [], ['b']);
  await fc.assert(
    fc.asyncProperty(patterns, steps, sources, excludes, async (ignored, all, from, without) => {
      const root = freshDir();
      const memo = createAnswerMemo();
      for (const changes of all) {
        waitForTick(`${root}-tick`);
        for (const each of changes) apply(root, each);
        const { hash } = await ask(
          treeOf(root, { patterns: ignored, memo: createAnswerMemo() }),
          from,
          without,
        );
        for (const round of [1, 2]) {
          const answer = await ask(treeOf(root, { patterns: ignored, memo }), from, without);
          assert.equal(answer.hash, hash, `round ${round}`);
          if (!answer.listed) remembered += 1;
        }
        seen.add(hash);
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(remembered > 20 && seen.size > 20, `remembered ${remembered}, ${seen.size} different`);
});

test('another question, another pattern and a path over a symlink are answered anew', async () => {
  const root = freshDir();
  fs.mkdirSync(path.join(root, 'd'));
  for (const name of ['x', 'y']) fs.writeFileSync(path.join(root, 'd', name), name);
  fs.symlinkSync('d', path.join(root, 'link'));
  const memo = createAnswerMemo();
  const listed = async (sources: string[], excludes: string[], patterns: string[] = []): Promise<boolean> =>
    (await ask(treeOf(root, { memo, patterns }), sources, excludes)).listed;
  assert.deepEqual([await listed(['d'], []), await listed(['d'], [])], [true, false]);
  assert.deepEqual([await listed(['d'], ['x']), await listed(['d'], ['x'])], [true, false]);
  assert.deepEqual([await listed(['d'], [], ['d/x']), await listed(['d'], [], ['d/x'])], [true, false]);
  assert.deepEqual([await listed(['link'], []), await listed(['link'], [])], [true, true]);
  assert.deepEqual([await listed(['none'], []), await listed(['none'], [])], [true, true]);
});

test('what an exception brings back from an excluded directory counts, and what stays excluded does not', async () => {
  const root = freshDir();
  fs.mkdirSync(path.join(root, 'out/in'), { recursive: true });
  for (const name of ['out/in/kept', 'out/in/left', 'out/left']) fs.writeFileSync(path.join(root, name), '1');
  const memo = createAnswerMemo();
  const listed = async (): Promise<boolean> =>
    (await ask(treeOf(root, { memo, patterns: ['out', '!out/in/kept'] }), ['.'], [])).listed;
  assert.deepEqual([await listed(), await listed()], [true, false]);
  waitForTick(`${root}-tick`);
  fs.writeFileSync(path.join(root, 'out/in/left'), '2');
  assert.equal(await listed(), false);
  fs.writeFileSync(path.join(root, 'out/in/kept'), '2');
  assert.deepEqual([await listed(), await listed()], [true, false]);
});

test('files that were just written are not remembered, since they may change within the same tick', async () => {
  const root = freshDir();
  fs.writeFileSync(path.join(root, 'f'), '1');
  const memo = createAnswerMemo();
  for (const _ of [1, 2]) {
    assert.equal((await ask(treeOf(root, { memo, now: Date.now }), ['.'], [])).listed, true);
  }
  fs.utimesSync(path.join(root, 'f'), Date.now() / 1000 + 600, Date.now() / 1000 + 600);
  assert.equal((await ask(treeOf(root, { memo }), ['.'], [])).listed, true);
  assert.equal((await ask(treeOf(root, { memo }), ['.'], [])).listed, true);
});

test('answers are kept in a file, and a damaged one is no answer', () => {
  const file = path.join(freshDir(), 'answers/trees');
  const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
  const memo = createAnswerMemo(file);
  memo.set(digest('1'), digest('a'), digest('b'));
  memo.set(digest('2'), digest('c'), digest('d'));
  memo.save();
  const next = createAnswerMemo(file);
  assert.equal(next.get(digest('1'), digest('a')), digest('b'));
  assert.equal(next.get(digest('1'), digest('c')), undefined);
  assert.equal(next.get(digest('2'), digest('c')), digest('d'));
  const text = fs.readFileSync(file, 'latin1');
  fs.writeFileSync(file, text.slice(0, -5));
  assert.equal(createAnswerMemo(file).get(digest('2'), digest('c')), undefined);
  fs.writeFileSync(file, text.replace(/^(envbuilder tree hashes )\d+\n/, '$10\n'));
  assert.equal(createAnswerMemo(file).get(digest('1'), digest('a')), undefined);
});
