import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDirectoryTree } from '../../context/dir-tree.ts';
import { resolveCopy } from '../../context/resolve-copy.ts';
import type { SourceTree } from '../../context/types.ts';
import type { AppError } from '../../core/error.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { tempDir } from '../../core/testing.ts';
import { describeTree } from '../../rootfs/describe-tree.ts';
import { sharedSyscalls } from '../../sys/syscalls.ts';
import { applyCopy, type CopyRequest } from './copy-files.ts';
import { xattrReader } from './copy-step.ts';

const isRoot = process.getuid?.() === 0;
const syscalls = sharedSyscalls();
/** More than one batch, and so many that threads copy them. */
const MANY = 5000;

type Options = Partial<Pick<CopyRequest, 'owner' | 'chmod' | 'mtime' | 'parents' | 'ownTop' | 'destination'>>;

function treeOf(root: string): SourceTree {
  return createDirectoryTree({ root, name: 'the context', xattrs: xattrReader(syscalls) });
}

/** Copies a whole tree; what `meanwhile` does is done between the listing and the copy. */
async function copy(
  tree: SourceTree,
  root: string,
  options: Options = {},
  meanwhile = () => {},
): Promise<void> {
  const { parents = false } = options;
  const items = await resolveCopy(tree, { sources: ['src'], excludes: [], parents, where: {} });
  meanwhile();
  await applyCopy({
    root,
    tree,
    items,
    destination: '/dest',
    parents,
    owner: { uid: 0, gid: 0 },
    followDestination: true,
    syscalls,
    ...options,
  });
}

/** As it was done before there were batches: each file by itself. */
function oneByOne({ plainRoot: _, ...tree }: SourceTree): SourceTree {
  return tree;
}

interface FileSpec {
  readonly path: string;
  readonly kind: 'file' | 'dir' | 'link' | 'hardlink';
  readonly size: number;
  readonly mode: number;
  readonly owner: number;
  readonly seconds: number;
  readonly attribute: boolean;
}

const names = fc.constantFrom('a', 'b', 'c', 'ä', '\udcff', '-x', 'long '.repeat(9));
const paths = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const specs: fc.Arbitrary<FileSpec> = fc.record({
  path: paths,
  kind: fc.constantFrom('file', 'file', 'file', 'dir', 'link', 'hardlink'),
  size: fc.constantFrom(0, 1, 7, 4096, 130_000, 140_000),
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o2755, 0o000, 0o1777),
  owner: fc.constantFrom(0, 1, 1000, 4_000_000_000),
  seconds: fc.constantFrom(0, 1_600_000_000.123, 5_000_000_000, -86_400),
  attribute: fc.boolean(),
});
const trees = fc.array(specs, { maxLength: 30 });
const options: fc.Arbitrary<Options> = fc.record(
  {
    owner: fc.constantFrom('keep' as const, { uid: 0, gid: 0 }, { uid: 7, gid: 8 }),
    chmod: fc.constant((mode: number) => mode | 0o111),
    mtime: fc.constant(1_234_567_890),
    parents: fc.constant(true),
    ownTop: fc.constant(true),
    destination: fc.constantFrom('/dest', '/dest/', '/new', '/new/deep/', '/'),
  },
  { requiredKeys: [] },
);

/** Makes what it can of them: a path through a file is left out. */
function fill(root: string, files: readonly FileSpec[]): void {
  mkdirSync(root, { recursive: true });
  let last: string | undefined;
  for (const { path, kind, size, mode, owner, seconds, attribute } of files) {
    const at = `${root}/${path}`;
    try {
      mkdirSync(fsPath(dirname(at)), { recursive: true });
      if (kind === 'dir') mkdirSync(fsPath(at));
      else if (kind === 'link') symlinkSync('/etc/passwd', fsPath(at));
      else if (kind === 'hardlink' && last !== undefined) linkSync(fsPath(last), fsPath(at));
      else writeFileSync(fsPath(at), Buffer.alloc(size, path), { flag: 'wx' });
    } catch (error) {
      if (['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code!)) continue;
      throw error;
    }
    if (kind === 'file') last = at;
    if (isRoot) lchownSync(fsPath(at), owner, owner === 0 ? 50 : owner);
    if (kind === 'link') continue;
    if (attribute) syscalls.setXattr(at, 'user.note', Buffer.from('text'));
    chmodSync(fsPath(at), mode);
    utimesSync(fsPath(at), seconds, seconds);
  }
}

/** All of a tree, but times that are those of the test itself. */
function described(root: string, since: number) {
  const now = (mtime: bigint): boolean =>
    mtime > BigInt(since) * 1_000_000n && mtime < 4_500_000_000n * 1_000_000_000n;
  return describeTree(root, syscalls).map((one) => (now(one.mtime) ? { ...one, mtime: 'now' } : one));
}

test('what is copied by batches is what is copied one by one', async (t) => {
  const dir = tempDir(t);
  const began = Date.now() - 60_000;
  let round = 0;
  await fc.assert(
    fc.asyncProperty(trees, trees, fc.boolean(), options, async (files, before, inherits, how) => {
      round += 1;
      const source = join(dir, `from-${round}`);
      fill(join(source, 'src'), files);
      const targets = ['batches', 'single'].map((name) => join(dir, `${name}-${round}`));
      for (const target of targets) {
        fill(join(target, 'dest'), before);
        // Files get the group of such a directory, and so do directories, with the bit.
        if (inherits && isRoot) lchownSync(target, 0, 60);
        if (inherits) chmodSync(target, 0o2755);
      }
      const outcomes = [];
      for (const [index, target] of targets.entries()) {
        const tree = treeOf(source);
        const error = await copy(index === 0 ? tree : oneByOne(tree), target, how).catch((thrown) => thrown);
        outcomes.push(error instanceof Error ? error.message : described(target, began));
      }
      assert.deepEqual(outcomes[0], outcomes[1]);
      for (const made of [source, ...targets]) rmSync(made, { recursive: true });
    }),
    { numRuns: 150 },
  );
});

/** Many small files in several directories, one of which has more of them than a batch. */
function fillMany(root: string): string[] {
  const paths = Array.from({ length: MANY }, (_, i) => `d${i < 2500 ? 0 : i % 40}/f${i}`);
  const spec = { kind: 'file', owner: 0, attribute: false } as const;
  const files = paths.map((path, i) => ({
    ...spec,
    path,
    size: i % 300,
    mode: i % 2 === 0 ? 0o640 : 0o755,
    seconds: 1_500_000_000 + i,
  }));
  fill(root, files);
  return paths;
}

test('files of a large COPY are copied by threads, which leave nothing open', async (t) => {
  const dir = tempDir(t);
  fillMany(join(dir, 'from/src'));
  for (const name of ['threads', 'single']) mkdirSync(join(dir, name));
  const open = () => readdirSync('/proc/self/fd').length;
  const before = open();
  await copy(treeOf(join(dir, 'from')), join(dir, 'threads'));
  assert.equal(open(), before);
  await copy(oneByOne(treeOf(join(dir, 'from'))), join(dir, 'single'));
  const since = Date.now();
  assert.deepEqual(described(join(dir, 'threads/dest'), since), described(join(dir, 'single/dest'), since));
  assert.equal(describeTree(join(dir, 'threads/dest')).filter(({ type }) => type === 'file').length, MANY);
});

const SECRET = 'root:secret';
const CHANGES: Readonly<Record<string, (file: string, outside: string) => void>> = {
  'is written anew': (file) => writeFileSync(file, 'other'),
  'is written anew with its old size and time': (file) => {
    const { atime, mtime, size } = statSync(file);
    writeFileSync(file, Buffer.alloc(size, 'x'));
    utimesSync(file, atime, mtime);
  },
  grows: (file) => writeFileSync(file, 'more', { flag: 'a' }),
  shrinks: (file) => truncateSync(file, 1),
  'is replaced by another': (file) => {
    writeFileSync(`${file}.new`, readFileSync(file));
    renameSync(`${file}.new`, file);
  },
  'gets another mode': (file) => chmodSync(file, 0o600),
  vanishes: (file) => rmSync(file),
  'becomes a link to the outside': (file, outside) => {
    rmSync(file);
    symlinkSync(join(outside, 'f4567'), file);
  },
  'becomes a pipe': (file) => {
    rmSync(file);
    execFileSync('mkfifo', [file]);
  },
  'becomes a directory': (file) => {
    rmSync(file);
    mkdirSync(file);
  },
  'comes to lie behind a link': (file, outside) => {
    renameSync(dirname(file), `${dirname(file)}.old`);
    symlinkSync(outside, dirname(file));
  },
};

/** Threads do as the main thread does, so a few of them are enough. */
const IN_THREADS = ['is written anew', 'vanishes', 'comes to lie behind a link'];

for (const [what, change] of Object.entries(CHANGES))
  for (const many of IN_THREADS.includes(what) ? [false, true] : [false])
    test(`a file that ${what} after it was listed ends a COPY of ${many ? 'many files' : 'few files'}`, async (t) => {
      const dir = tempDir(t);
      const [source, target, outside] = ['from', 'target', 'outside'].map((name) => join(dir, name)) as [
        string,
        string,
        string,
      ];
      if (many) fillMany(join(source, 'src'));
      else {
        mkdirSync(join(source, 'src/d7'), { recursive: true });
        writeFileSync(join(source, 'src/d7/f4567'), 'content');
      }
      mkdirSync(target);
      mkdirSync(outside);
      writeFileSync(join(outside, 'f4567'), SECRET);
      const file = join(source, 'src/d7/f4567');
      await assert.rejects(
        copy(treeOf(source), target, {}, () => change(file, outside)),
        (error: AppError) => error.code === 'CONTEXT' && error.message.includes('src/d7/f'),
      );
      const made = describeTree(target).filter(({ type }) => type === 'file');
      for (const { path } of made) assert.notEqual(readFileSync(join(target, path), 'utf8'), SECRET);
    });
