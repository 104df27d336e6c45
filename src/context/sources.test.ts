import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { scratchDir } from '../core/testing.ts';
import { readLayer } from '../layer/read-layer.ts';
import { createBeneath } from '../sys/beneath.ts';
import {
  FACT,
  FACT_WORDS,
  factsOf,
  inodeNumber,
  type PathFacts,
  setTime,
  sizeOf,
  timeOf,
} from '../sys/path-facts.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { isGitUrl, resolveGitCommit } from './add-git.ts';
import { isArchive, unpackArchive } from './archive.ts';
import { parseChmod } from './chmod.ts';
import { createDirectoryTree } from './dir-tree.ts';
import { createHashMemo } from './file-hash-memo.ts';
import { createMatcher } from './ignore-matcher.ts';
import { resolveCopy } from './resolve-copy.ts';
import { givenAccess } from './testing.ts';
import { treeHash } from './tree-hash.ts';
import type { CopyItems, SourceTree } from './types.ts';

const scratch = scratchDir('sources');
let count = 0;

function directory(files: Readonly<Record<string, string>>): string {
  count += 1;
  const root = join(scratch, String(count));
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const treeOf = (root: string): SourceTree => createDirectoryTree({ root, name: 'the context' });
const select = (
  tree: SourceTree,
  sources: string[],
  more: Partial<Parameters<typeof resolveCopy>[1]> = {},
): Promise<CopyItems> => resolveCopy(tree, { sources, excludes: [], parents: false, where: {}, ...more });
const targets = async (items: Promise<CopyItems>): Promise<string[]> =>
  Array.from(await items, ({ target }) => target);
const hashOf = async (tree: SourceTree, sources = ['.']): Promise<string> =>
  treeHash(await select(tree, sources), {
    ownership: false,
    tree,
  });

test('a directory gives its contents, a file itself, a pattern what it matches', async () => {
  const tree = treeOf(directory({ 'd/x': '', 'd/sub/y': '', 'a.txt': '', 'b.txt': '', 'c.md': '' }));
  assert.deepEqual(await targets(select(tree, ['d'])), ['', 'sub', 'sub/y', 'x']);
  assert.deepEqual(await targets(select(tree, ['/a.txt'])), ['a.txt']);
  assert.deepEqual(await targets(select(tree, ['*.txt'])), ['a.txt', 'b.txt']);
  assert.deepEqual(await targets(select(tree, ['../../d/x'])), ['x']);
  assert.deepEqual(await targets(select(tree, ['d'], { excludes: ['sub'] })), ['', 'x']);
  assert.deepEqual(await targets(select(tree, ['d/./sub/y'], { parents: true })), ['sub', 'sub/y']);
  await assert.rejects(select(tree, ['d/z']), { code: 'CONTEXT', message: /"d\/z" is not in the context/ });
});

test('a directory may have more files than a call can have arguments', async () => {
  const small = treeOf(directory({ 'd/x': '' }));
  const [, node] = await small.list('d');
  const nodes = Array.from({ length: 300_000 }, (_, i) => ({ ...node!, path: `d/${i}` }));
  const large: SourceTree = { ...small, list: async () => nodes };
  assert.equal((await select(large, ['d'])).length, nodes.length);
});

test('a pattern never matches the directory that it is looked for in, nor below one that is missing', async () => {
  const root = directory({ 'd/x': '', 'd/sub/y': '', 'a.txt': '' });
  assert.deepEqual(await targets(select(treeOf(root), ['*'])), ['a.txt', '', 'sub', 'sub/y', 'x']);
  assert.deepEqual(await targets(select(treeOf(root), ['d/*'])), ['', 'y', 'x']);
  assert.deepEqual(await targets(select(treeOf(root), ['**/y'])), []);
  await assert.rejects(select(treeOf(root), ['e/*']), { code: 'CONTEXT', message: /"e" is not in/ });
  symlinkSync('nowhere', join(root, 'd/broken'));
  await assert.rejects(select(treeOf(root), ['d/*']), { code: 'CONTEXT', message: /"d\/broken" leads to/ });
});

test('with --parents the names before the pivot are left out, whatever their wildcards match', async () => {
  const tree = treeOf(
    directory({
      'a/b1/c/d/e': '1',
      'a/b22/c/e': '2',
      'a/b22/c/x/y/e': '3',
      'a/b333/other': '4',
      'a/z/c/e': '5',
      'a/b1/deep/c/e': '6',
      top: '7',
    }),
  );
  const table: Readonly<Record<string, readonly string[]>> = {
    'a/b*/./c/**/e': ['c', 'c', 'c', 'c', 'c/d', 'c/d/e', 'c/e', 'c/x', 'c/x/y', 'c/x/y/e'],
    'a/b?/./c/d/e': ['c', 'c/d', 'c/d/e'],
    'a/*/./other': ['other'],
    'a/**/./c/e': ['c', 'c', 'c/e', 'c/e'],
    '*/./b333/o*': ['b333', 'b333/other'],
    './a/b1/./c/d/e': ['c', 'c/d', 'c/d/e'],
    '/./top': ['top'],
  };
  for (const [source, expected] of Object.entries(table)) {
    const found = await targets(select(tree, [source], { parents: true }));
    assert.deepEqual([...new Set(found)].sort(), [...new Set(expected)].sort(), source);
  }
});

test('with --parents a symlink stays one, wherever it leads', async () => {
  const root = directory({ 'd/x': '' });
  symlinkSync('x', join(root, 'd/link'));
  symlinkSync('nowhere', join(root, 'd/broken'));
  for (const source of ['d/l*', 'd/link', '**/link', '**/broken']) {
    const items = await select(treeOf(root), [source], { parents: true });
    assert.deepEqual([items.length, items.at(1)?.node.type], [2, 'symlink'], source);
  }
});

test('an ignored file cannot be named, whatever exceptions there are', async () => {
  const root = directory({ 'secret.env': '', 'd/secret.env': '', 'd/a.txt': '', 'e/secret.env': '' });
  const ignore = createMatcher(['*', '!**/*.txt']);
  const tree = createDirectoryTree({ root, name: 'the context', ignore });
  for (const source of ['secret.env', 'd/secret.env', 'e'])
    await assert.rejects(select(tree, [source]), { code: 'CONTEXT' }, source);
  assert.deepEqual(await targets(select(tree, ['d'])), ['', 'a.txt']);
});

test('where sources go one after the other their order is part of the hash', async () => {
  const tree = treeOf(directory({ a: '1', b: '2' }));
  const hash = async (sources: string[], destination: string): Promise<string> =>
    treeHash(await select(tree, sources), {
      ownership: false,
      destination,
      tree,
    });
  assert.equal(await hash(['a', 'b'], '/x/'), await hash(['b', 'a'], '/x/'));
  assert.notEqual(await hash(['a', 'b'], '/x'), await hash(['b', 'a'], '/x'));
});

test('a loop of symlinks is an error of the context', async () => {
  const root = directory({ x: '' });
  symlinkSync('b', join(root, 'a'));
  symlinkSync('a', join(root, 'b'));
  await assert.rejects(select(treeOf(root), ['a/x']), { code: 'CONTEXT', message: /levels of symlinks/ });
});

test('a symlink never leads out of the context', async () => {
  const root = directory({ inside: 'in' });
  symlinkSync('/etc', join(root, 'out'));
  symlinkSync('../../../../inside', join(root, 'up'));
  const tree = treeOf(root);
  await assert.rejects(select(tree, ['out/passwd']), { code: 'CONTEXT' });
  const [item] = await select(tree, ['up']);
  assert.equal(item?.node.path, 'inside');
});

test('the tree hash sees names, content and modes, and neither times nor links to elsewhere', async () => {
  const files = { 'd/a': '1', 'd/b': '2' };
  const same = await hashOf(treeOf(directory(files)));
  const other = directory(files);
  linkSync(join(other, 'd/a'), join(scratch, `outside-${count}`));
  execFileSync('touch', ['-d', '2001-01-01', join(other, 'd/a')]);
  assert.equal(await hashOf(treeOf(other)), same);
  assert.notEqual(await hashOf(treeOf(directory({ 'd/a': '1', 'd/c': '2' }))), same);
  assert.notEqual(await hashOf(treeOf(directory({ 'd/a': '2', 'd/b': '1' }))), same);
  execFileSync('chmod', ['600', join(other, 'd/a')]);
  assert.notEqual(await hashOf(treeOf(other)), same);
  const linked = directory({ 'd/a': '1' });
  linkSync(join(linked, 'd/a'), join(linked, 'd/b'));
  assert.notEqual(await hashOf(treeOf(linked)), await hashOf(treeOf(directory({ 'd/a': '1', 'd/b': '1' }))));
});

test('a file that changes between its hash and its copy is noticed', async () => {
  const root = directory({ f: 'before' });
  const tree = treeOf(root);
  const [item] = await select(tree, ['f']);
  tree.checkUnchanged!(item!.node);
  writeFileSync(join(root, 'f'), 'after!');
  assert.throws(() => tree.checkUnchanged!(item!.node), { code: 'CONTEXT', message: /changed/ });
});

test('octal and symbolic modes', () => {
  const cases: [string, number, boolean, number][] = [
    ['755', 0o644, false, 0o755],
    ['4711', 0o644, false, 0o4711],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['a+x', 0o644, false, 0o755],
    ['go-rwx', 0o777, false, 0o700],
    ['g=u', 0o640, false, 0o660],
    ['u+s,+t', 0o755, false, 0o5755],
    ['g=u', 0o2750, true, 0o2770],
    ['u=rwX,go=rX', 0o2700, true, 0o755],
    ['a=', 0o5777, false, 0o1000],
    ['a+x,a+X,u-x', 0o600, false, 0o611],
    ['u+x,go+X', 0o600, false, 0o700],
    ['o+st', 0o600, false, 0o600],
  ];
  for (const [text, mode, isDirectory, expected] of cases)
    assert.equal(parseChmod(text)(mode, isDirectory), expected, text);
  for (const text of ['', '999', 'u=q', 'rwx', '755,'])
    assert.throws(() => parseChmod(text), { code: 'DOCKERFILE' });
});

test('a mode of four octal digits replaces whatever was there', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0o7777 }),
      fc.integer({ min: 0, max: 0o7777 }),
      (wanted, before) => {
        assert.equal(parseChmod(wanted.toString(8))(before, false), wanted);
      },
    ),
  );
});

/** What lstat may tell of a file. */
function fileOf(ino: bigint, ctimeNs = 10n): PathFacts {
  const facts = new Uint32Array(FACT_WORDS);
  facts[FACT.dev] = 1;
  facts[FACT.ino] = Number(ino);
  facts[FACT.size] = 3;
  setTime(facts, 'mtime', 10n);
  setTime(facts, 'ctime', ctimeNs);
  return facts;
}

test('the hash memo knows a file by its identity, and trusts no file that was just written', () => {
  const file = join(scratch, 'memo/hashes');
  const identity = fileOf(2n);
  const digest = `sha256:${'a'.repeat(64)}` as const;
  const memo = createHashMemo(file, () => 10_000_000_000n);
  memo.set(identity, { digest, plain: true });
  memo.set(fileOf(4n), { digest, plain: false });
  memo.set(fileOf(9n, 9_000_000_000n), { digest, plain: true });
  // Now that is long ago, but it was not when reading began.
  memo.set(fileOf(10n, 5_000_000_000n), { digest, plain: true }, 6_000_000_000n);
  memo.save();
  const next = createHashMemo(file);
  assert.deepEqual(next.get(identity), { digest, plain: true });
  assert.deepEqual(next.get(fileOf(4n)), { digest, plain: false });
  assert.equal(next.get(fileOf(2n, 11n)), undefined);
  assert.equal(next.get(fileOf(9n, 9_000_000_000n)), undefined);
  assert.equal(next.get(fileOf(10n, 5_000_000_000n)), undefined);
  writeFileSync(file, 'damaged');
  assert.equal(createHashMemo(file).get(identity), undefined);
});

test('the attributes of a file are not asked for again until its state changes', async () => {
  const root = directory({ plain: 'a', marked: 'b' });
  const later = BigInt(Date.now() + 60_000) * 1_000_000n;
  const memo = createHashMemo(undefined, () => later);
  const asked: string[] = [];
  const attributes = new Map([[join(root, 'marked'), new Map([['user.x', Buffer.from('1')]])]]);
  const look = async (): Promise<readonly string[]> => {
    const xattrs = (path: string): ReadonlyMap<string, Buffer> | undefined => {
      asked.push(path);
      return attributes.get(path);
    };
    const tree = createDirectoryTree({ root, name: 'x', memo, xattrs });
    const nodes = [...(await tree.list(''))];
    for (const node of nodes) if (node.type === 'file') await tree.contentDigest(node);
    assert.equal(nodes.find(({ path }) => path === 'marked')?.xattrs?.size, 1);
    return asked.splice(0);
  };
  const [plain, marked] = [join(root, 'plain'), join(root, 'marked')];
  assert.deepEqual(await look(), [root, marked, plain]);
  assert.deepEqual(await look(), [root, marked]);
  chmodSync(plain, 0o600);
  assert.deepEqual(await look(), [root, marked, plain]);
});

test('the hash memo finds files in whatever order they are asked for, the changed and the new ones too', () => {
  const file = join(scratch, 'memo/order');
  const knownOf = (ino: bigint): { digest: Digest; plain: boolean } => ({
    digest: digestOf(String(ino)),
    plain: ino % 2n === 0n,
  });
  const memo = createHashMemo(file, () => 10_000_000_000n);
  const written = [1n, 2n, 12n, 123n, 3n, 4n];
  for (const ino of written) memo.set(fileOf(ino), knownOf(ino));
  memo.save();
  for (const order of [written, written.toReversed(), [2n, 123n, 3n, 1n], [1n, 2n, 5n, 12n, 1n, 123n]]) {
    const next = createHashMemo(file);
    for (const ino of order)
      assert.deepEqual(next.get(fileOf(ino)), written.includes(ino) ? knownOf(ino) : undefined);
  }
  const changed = createHashMemo(file, () => 10_000_000_000n);
  assert.equal(changed.get(fileOf(1n, 100n)), undefined);
  changed.set(fileOf(1n, 100n), knownOf(7n));
  for (const ino of written.slice(1)) assert.deepEqual(changed.get(fileOf(ino)), knownOf(ino));
  changed.save();
  const last = createHashMemo(file);
  assert.equal(last.get(fileOf(1n)), undefined);
  assert.deepEqual(last.get(fileOf(1n, 100n)), knownOf(7n));
  assert.deepEqual(last.get(fileOf(4n)), knownOf(4n));
});

test('facts name a file as what node:fs says of it', () => {
  const root = directory({ file: '1', old: '2', large: '' });
  execFileSync('touch', ['-d', '1960-01-01 01:02:03.004', join(root, 'old')]);
  execFileSync('truncate', ['-s', '5G', join(root, 'large')]);
  for (const path of [
    join(root, 'file'),
    join(root, 'old'),
    join(root, 'large'),
    '/dev/null',
    '/proc/self/status',
    '/',
  ]) {
    const stat = lstatSync(path, { bigint: true });
    const { dev, ino, size, mtimeNs, ctimeNs } = stat;
    const facts = factsOf(stat);
    const told = [inodeNumber(facts), BigInt(sizeOf(facts)), timeOf(facts, 'mtime'), timeOf(facts, 'ctime')];
    assert.deepEqual(told, [ino, size, mtimeNs, ctimeNs], path);
    assert.equal(facts[FACT.dev]! >>> 20, Number(dev >> 8n) & 0xfff, path);
  }
});

test('what nobody asked for is forgotten, unless it was known in another way', () => {
  const file = join(scratch, 'memo/unused');
  const facts = { digest: digestOf('x'), plain: true };
  const now = (): bigint => 10_000_000_000n;
  const learn = (inodes: readonly bigint[], keep: boolean, ctime = 10n): void => {
    const memo = createHashMemo(file, now);
    if (keep) memo.keepUnused();
    for (const ino of inodes) memo.set(fileOf(ino, ctime), facts);
    memo.save();
  };
  const known = (): boolean[] =>
    [1n, 2n, 3n].map((ino) => createHashMemo(file).get(fileOf(ino)) !== undefined);
  learn([1n, 2n], false);
  learn([3n], true);
  assert.deepEqual(known(), [true, true, true]);
  learn([2n], true, 11n);
  assert.deepEqual(known(), [true, false, true]);
  learn([3n], false);
  assert.deepEqual(known(), [false, false, true]);
});

test('archives are told by their first bytes, whatever their names', async () => {
  const root = directory({ 'in/x': 'content' });
  const pack = (name: string, flag: string): string => {
    execFileSync('tar', ['-C', join(root, 'in'), `-c${flag}f`, join(root, name), '.']);
    return name;
  };
  const tree = treeOf(root);
  for (const name of [pack('plain.txt', ''), pack('gz', 'z'), pack('bz2', 'j'), pack('xz', 'J')]) {
    const node = (await tree.stat(name))!;
    assert.equal(await isArchive(tree, node), true, name);
    const into = join(root, `into-${name}`);
    mkdirSync(into);
    const directory = createBeneath()(into);
    await unpackArchive(tree.open(node), directory, { readLayer, syscalls: createSyscalls(), what: name });
    directory.close();
    assert.equal(readFileSync(join(into, 'x'), 'utf8'), 'content', name);
  }
  writeFileSync(join(root, 'fake.tar.gz'), 'not an archive');
  assert.equal(await isArchive(tree, (await tree.stat('fake.tar.gz'))!), false);
});

test('git sources are told from URLs, and a reference cannot be an option', async (t) => {
  for (const source of [
    'git@example.org:a/b.git',
    'ssh://git@example.org/a',
    'https://example.org/a.git#v1:sub',
  ])
    assert.equal(isGitUrl(source), true, source);
  for (const source of ['https://example.org/a.tar.gz', 'dir/a.git', 'https://example.org/agit'])
    assert.equal(isGitUrl(source), false, source);
  await assert.rejects(resolveGitCommit('https://example.org/a.git#--upload-pack=touch', givenAccess(t)), {
    code: 'CONTEXT',
  });
});

test('a sparse file has the hash of a dense one, and is not read where its disk has no room for its holes', async () => {
  const [sparse, dense] = [
    directory({ 'd/x': '' }),
    directory({ 'd/x': Buffer.alloc(3_000_000).toString() }),
  ];
  truncateSync(join(sparse, 'd/x'), 3_000_000);
  const room = { disk: sparse, syscalls: createSyscalls() };
  const open = (root: string): SourceTree => createDirectoryTree({ root, name: 'the context', room });
  assert.equal(await hashOf(open(sparse)), await hashOf(open(dense)));
  truncateSync(join(sparse, 'd/x'), 2 ** 43);
  for (let i = 0; i < 3; i += 1) linkSync(join(sparse, 'd/x'), join(sparse, `d/link${i}`));
  await assert.rejects(
    hashOf(open(sparse)),
    (error) => error instanceof AppError && error.code === 'DISK_FULL',
  );
});
