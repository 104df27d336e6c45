import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { scratchDir, tempDir } from '../core/testing.ts';
import {
  type BeneathDirectory,
  createBeneath,
  type Links,
  type OpenBeneath,
  withBeneath,
} from './beneath.ts';
import { O_PATH } from './descriptor.ts';
import { createSyscalls } from './syscalls.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW } = constants;

const refusing = (code: string) => ({
  openat2: () => {
    throw Object.assign(new Error(code), { code });
  },
});
/** The ways in which paths are opened; a kernel before 5.6 and a filter of a container lead to the walk. */
const WAYS: Readonly<Record<string, OpenBeneath>> = {
  openat2: createBeneath(createSyscalls()),
  'a walk': createBeneath(),
  'a walk, for want of the call': createBeneath(refusing('ENOSYS')),
  'a walk, for a filter': createBeneath(refusing('EPERM')),
};

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};

/** Everything that there is to see of a directory. */
const seen = (directory: string): string =>
  execFileSync('find', [directory, '-printf', '%P %y %m %s %T@ %i %l\\n'], { encoding: 'utf8' }) +
  readFileSync(join(directory, 'canary'), 'utf8');

/** A root beside a directory that nothing may touch, with links that lead there in every way. */
function place(t: TestContext): { readonly outside: string; readonly root: string } {
  const all = tempDir(t);
  const [outside, root] = [join(all, 'outside'), join(all, 'root')];
  for (const each of [join(root, 'a/b/c'), join(root, 'etc'), join(outside, 'd')])
    mkdirSync(each, { recursive: true });
  writeFileSync(join(outside, 'canary'), 'outside');
  writeFileSync(join(root, 'a/file'), 'inside');
  for (const [link, target] of Object.entries({
    'out-file': join(outside, 'canary'),
    'out-dir': outside,
    'out-relative': '../outside/canary',
    'out-new': join(outside, 'new'),
    'a/b/c/up': '../../..',
    'a/b/c/high': '../../../..',
    chain: 'a/b/c/up/../outside/canary',
    chained: 'a/b/c/high/outside',
    'inside-absolute': '/a/file',
    'inside-relative': 'a/b/../file',
    loop: 'loop2',
    loop2: 'loop',
    self: '.',
  }))
    symlinkSync(target, join(root, link));
  return { outside, root };
}

const OUT = [
  'out-file',
  'out-dir/canary',
  'out-relative',
  'chain',
  'chained/canary',
  '../outside/canary',
  'a/b/c/high/outside/canary',
  'self/out-file',
  'a/../out-file',
];

for (const [way, openBeneath] of Object.entries(WAYS)) {
  describe(`below a directory by ${way}`, () => {
    const using = (t: TestContext, use: (directory: BeneathDirectory) => void): void => {
      const { root, outside } = place(t);
      const before = seen(outside);
      withBeneath(openBeneath, root, use);
      assert.equal(seen(outside), before);
    };

    test('no path leads out, whatever links are on it', (t) =>
      using(t, (directory) => {
        const read = (path: string, links: Links): string | undefined =>
          codeOf(() => directory.readFile(path, { limit: 99, links }));
        for (const path of OUT) {
          assert.equal(read(path, 'in-root'), 'ENOENT', path);
          assert.equal(read(path, 'beneath'), 'EXDEV', path);
          assert.match(read(path, 'none')!, /^(ELOOP|EXDEV)$/, path);
          assert.equal(
            codeOf(() => directory.list(path)),
            'ENOENT',
            path,
          );
          assert.equal(directory.stat(path), undefined, path);
        }
      }));

    test('links that stay lead where they would if this were the root', (t) =>
      using(t, (directory) => {
        const read = (path: string, links?: Links): string =>
          directory.readFile(path, { limit: 99, ...(links ? { links } : {}) }).toString();
        const stays = [
          'a/file',
          '/a/file',
          '//a//./file',
          'inside-relative',
          'a/b/c/up/a/file',
          'self/self/a/file',
        ];
        for (const path of stays)
          for (const links of ['in-root', 'beneath'] as const)
            assert.equal(read(path, links), 'inside', path);
        for (const path of ['../../a/file', 'a/b/c/high/a/file', 'inside-absolute'])
          assert.equal(read(path), 'inside', path);
        assert.equal(read('a/b/../file', 'none'), 'inside');
        for (const [path, links, code] of [
          ['inside-absolute', 'beneath', 'EXDEV'],
          ['inside-relative', 'none', 'ELOOP'],
          ['loop', 'in-root', 'ELOOP'],
          ['a/file/', 'in-root', 'ENOTDIR'],
          ['a/file/..', 'in-root', 'ENOTDIR'],
          ['a/file\0x', 'in-root', 'EINVAL'],
          [`${'a/../'.repeat(1000)}a/file`, 'in-root', 'ENAMETOOLONG'],
          ['n'.repeat(256), 'in-root', 'ENAMETOOLONG'],
        ] as const)
          assert.equal(
            codeOf(() => read(path, links)),
            code,
            path.slice(0, 50),
          );
        assert.equal(directory.readlink('inside-absolute'), '/a/file');
      }));

    test('what is written stays inside', (t) =>
      using(t, (directory) => {
        for (const path of ['out-file', 'out-new', 'chain', 'inside-absolute', 'loop', 'fresh']) {
          directory.writeFile(path, 'new', { mode: 0o660 });
          const stat = directory.lstat(path)!;
          assert.equal(stat.isFile() && Number(stat.mode) & 0o777, 0o660, path);
          assert.equal(directory.readFile(path, { limit: 3, links: 'none' }).toString(), 'new');
        }
        for (const path of ['out-dir/x', 'chained/x', 'out-dir/d/x']) {
          for (const write of [
            () => directory.writeFile(path, 'new', { links: 'beneath' }),
            () => directory.makeDirectory(path, { links: 'beneath' }),
            () => closeSync(directory.open(path, O_WRONLY | O_CREAT, { links: 'beneath' })),
            () => directory.rename('a', path, { links: 'beneath' }),
          ])
            assert.equal(codeOf(write), 'EXDEV', path);
          assert.equal(
            codeOf(() => directory.writeFile(path, 'new')),
            'ENOENT',
            path,
          );
        }
        for (const path of ['', '.', '..', 'a/..', '/', 'a/.'])
          assert.equal(
            codeOf(() => directory.writeFile(path, '')),
            'EINVAL',
            path,
          );
        assert.equal(
          codeOf(() => directory.writeFile('a', 'new')),
          'EISDIR',
        );
      }));

    test('directories are made with the mode that was asked for', (t) =>
      using(t, (directory) => {
        directory.makeDirectory('new/x/y', { mode: 0o1777 });
        directory.makeDirectory('a/b/../b/new');
        directory.makeDirectory('a/b');
        assert.equal(Number(directory.stat('new/x')!.mode) & 0o7777, 0o1777);
        assert.equal(Number(directory.stat('a/b/new')!.mode) & 0o7777, 0o755);
        assert.equal(
          codeOf(() => directory.makeDirectory('a/file/x')),
          'ENOTDIR',
        );
        const inside = directory.directory('a/b');
        assert.deepEqual(inside.list('').sort(), ['c', 'new']);
        assert.equal(inside.stat('../file'), undefined, 'it is a root of its own');
        inside.close();
      }));

    test('what is removed or moved is the entry, never what a link leads to', (t) =>
      using(t, (directory) => {
        for (const path of ['out-file', 'out-dir', 'chain', 'nothing', 'nothing/there', 'a'])
          directory.remove(path);
        directory.rename('out-new', 'etc/moved');
        assert.equal(directory.lstat('etc/moved')!.isSymbolicLink(), true);
        directory.remove('chained/canary');
        assert.deepEqual(directory.list('').sort(), [
          'chained',
          'etc',
          'inside-absolute',
          'inside-relative',
          'loop',
          'loop2',
          'out-relative',
          'self',
        ]);
      }));

    test('names that are not UTF-8 are kept', (t) =>
      using(t, (directory) => {
        const name = 'caf\udce9';
        directory.writeFile(`a/b/${name}`, 'x');
        assert.deepEqual(directory.list('a/b').sort(), ['c', name].sort());
        directory.rename(`a/b/${name}`, `etc/${name}`);
        assert.equal(directory.readFile(`etc/${name}`, { limit: 1 }).toString(), 'x');
      }));

    test('nothing leads out while a directory and a link change places', async (t) => {
      const { root, outside } = place(t);
      const before = seen(outside);
      mkdirSync(join(root, 'turn'));
      writeFileSync(join(root, 'turn/canary'), 'inside');
      symlinkSync(outside, join(root, 'link'));
      const worker = new Worker(SWAP, { eval: true, workerData: { root } });
      await new Promise((resolve) => worker.once('message', resolve));
      try {
        withBeneath(openBeneath, root, (directory) => {
          for (let turn = 0; turn < 3000; turn += 1) {
            const links = turn % 2 === 0 ? 'in-root' : 'beneath';
            try {
              const text = directory.readFile('turn/canary', { limit: 99, links }).toString();
              assert.equal(text, 'inside');
            } catch (error) {
              assert.match((error as NodeJS.ErrnoException).code ?? String(error), /^(ENOENT|EXDEV)$/);
            }
            codeOf(() => directory.writeFile('turn/new', 'x', { links }));
          }
        });
      } finally {
        await worker.terminate();
      }
      assert.equal(seen(outside), before);
    });
  });
}

const SWAP = `
const { renameSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const at = (name) => workerData.root + '/' + name;
for (let turn = 0; ; turn += 1) {
  renameSync(at('turn'), at('away'));
  renameSync(at('link'), at('turn'));
  if (turn === 0) parentPort.postMessage('begun');
  renameSync(at('turn'), at('link'));
  renameSync(at('away'), at('turn'));
}`;

test('a walk finds what openat2 finds, and fails as it does', (t) => {
  const scratch = scratchDir('beneath');
  const [fast, walk] = [WAYS.openat2!, WAYS['a walk']!];
  const names = ['a', 'b', 'f', 'l', 'm'];
  const part = fc.constantFrom(...names, '..', '.', '');
  const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));
  const target = fc.tuple(fc.constantFrom('', '/'), path).map(([start, rest]) => start + rest || '.');
  const link = fc.tuple(fc.constantFrom('', 'a/', 'a/b/', 'b/'), fc.constantFrom('l', 'm'), target);
  const flags = fc.constantFrom(
    O_PATH,
    O_PATH | O_NOFOLLOW,
    O_PATH | O_DIRECTORY,
    O_RDONLY,
    O_RDONLY | O_NOFOLLOW,
    O_RDONLY | O_DIRECTORY,
    O_WRONLY | O_CREAT | O_EXCL,
  );
  let count = 0;
  fc.assert(
    fc.property(
      fc.array(link, { maxLength: 6 }),
      fc.array(fc.tuple(path, flags), { minLength: 1, maxLength: 12 }),
      fc.constantFrom<Links>('in-root', 'beneath', 'none'),
      (made, asked, links) => {
        count += 1;
        const root = join(scratch, String(count));
        mkdirSync(join(root, 'a/b'), { recursive: true });
        mkdirSync(join(root, 'b'));
        for (const file of ['f', 'a/f', 'a/b/f']) writeFileSync(join(root, file), '');
        for (const [folder, name, text] of made) codeOf(() => symlinkSync(text, join(root, folder, name)));
        const found = (openBeneath: OpenBeneath, each: string, flag: number): string =>
          withBeneath(openBeneath, root, (directory) => {
            try {
              const fd = directory.open(each, flag, { links });
              const { ino, mode } = fstatSync(fd);
              closeSync(fd);
              // What was made by one is there for the other.
              if ((flag & O_CREAT) === 0) return `${ino} ${mode}`;
              directory.remove(each);
              return 'made';
            } catch (error) {
              return (error as NodeJS.ErrnoException).code ?? String(error);
            }
          });
        // A kernel says EISDIR for a file to be made whose name ends so, sooner or later.
        const named = asked.filter(([each, flag]) => (flag & O_CREAT) === 0 || /[a-z]$/.test(each));
        for (const [each, flag] of named)
          assert.equal(found(walk, each, flag), found(fast, each, flag), `${each} with ${flag.toString(8)}`);
      },
    ),
    { numRuns: 300 },
  );
  t.diagnostic(`${count} trees`);
});

test('a directory costs a few opens, however deep it lies', (t) => {
  const { openat2 } = createSyscalls();
  let opens = 0;
  const counting: typeof openat2 = (...args) => {
    opens += 1;
    return openat2(...args);
  };
  const directory = createBeneath({ openat2: counting })(tempDir(t));
  t.after(directory.close);
  const DEPTH = 200;
  const deep = 'd/'.repeat(DEPTH);
  // One after the other, as of a list, and all at once.
  for (let depth = 1; depth <= DEPTH; depth += 1) directory.makeDirectory(deep.slice(0, 2 * depth));
  assert.ok(opens <= 5 * DEPTH, `${opens} opens`);
  opens = 0;
  directory.makeDirectory(`e/${deep}`);
  assert.ok(opens <= 5 * DEPTH, `${opens} opens at once`);
  assert.ok(directory.stat(`e/${deep}`)?.isDirectory());
});

test('a directory is made behind parts that go up, and nowhere behind a file or a link to nothing', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  symlinkSync('none', join(dir, 'link'));
  for (const [way, open] of Object.entries(WAYS))
    withBeneath(open, dir, (directory) => {
      directory.makeDirectory(`${way}/../${way} b/./c//d/`);
      for (const made of [way, `${way} b/c/d`])
        assert.ok(directory.stat(made)?.isDirectory(), `${way}: ${made}`);
      for (const path of ['file/a', 'file/a/b', 'file'])
        assert.equal(
          codeOf(() => directory.makeDirectory(path)),
          'ENOTDIR',
          `${way}: ${path}`,
        );
      for (const path of ['link', 'link/a', 'link/a/b'])
        assert.equal(
          codeOf(() => directory.makeDirectory(path)),
          'EEXIST',
          `${way}: ${path}`,
        );
    });
});
