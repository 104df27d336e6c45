import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { silent } from '../../core/events.ts';
import { tempDir } from '../../core/testing.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree } from '../describe-tree.ts';
import { extractLayers } from '../extract/extract.ts';
import { fileBlob } from '../extract/testing.ts';
import { readXattrs } from '../snapshot/entry.ts';
import { sh, step } from '../testing.ts';
import type { RootfsState } from '../types.ts';
import { createTreeStates } from './states.ts';
import { readTable, waitForTick } from './table.ts';
import { liesAside, takeBack } from './take-back.ts';
import { apply, change } from './testing.ts';

const syscalls = createSyscalls();

/** All facts of what is in a tree, by path. */
function described(root: string): ReadonlyMap<string, unknown> {
  return new Map(
    describeTree(root, syscalls)
      .filter(({ path: at }) => at !== '')
      .map(({ first, size, ...rest }) => [
        rest.path,
        // Directories do not become smaller.
        rest.type === 'dir' ? rest : { ...rest, size, first },
      ]),
  );
}

function xattrsOf(root: string) {
  return new Map(
    [...described(root).keys()].flatMap((at) => {
      const found = readXattrs(syscalls, root, at);
      return found && found.size > 0 ? [[at, found] as const] : [];
    }),
  );
}

const changes = (minLength: number) => fc.array(change, { minLength, maxLength: 12 });

test('a tree is taken back to what it was, or not touched', async (t) => {
  const dir = tempDir(t);
  let count = 0;
  const outcomes = { back: 0, left: 0 };
  const inside = fc.constantFrom('', 'a', 'a/b', 'b', 'c.d/a');
  await fc.assert(
    fc.property(
      changes(6),
      changes(3),
      fc.array(fc.tuple(inside, change), { maxLength: 6 }),
      (first, any, within) => {
        count += 1;
        const root = path.join(dir, `root${count}`);
        const aside = path.join(dir, `aside${count}`);
        for (const each of [root, aside]) fs.mkdirSync(each);
        for (const each of first) apply(root, each);
        const was = { table: readTable(syscalls, root), xattrs: xattrsOf(root) };
        const before = described(root);
        waitForTick(path.join(dir, 'tick'));
        // Half of the times only what is new, in places that were there.
        const onlyNew = count % 2 === 0;
        if (!onlyNew) for (const each of any) apply(root, each);
        for (const [place, each] of within) {
          const at = path.join(root, place);
          if (!fs.existsSync(at) || !fs.statSync(at).isDirectory()) continue;
          fs.mkdirSync(path.join(at, 'new'), { recursive: true });
          apply(path.join(at, 'new'), each);
        }
        const is = described(root);
        const done = takeBack(root, was, readTable(syscalls, root, was.table), aside, { syscalls });
        if (onlyNew) assert.ok(done, 'what only grew is taken back');
        if (!done) {
          outcomes.left += 1;
          assert.deepEqual([described(root), fs.readdirSync(aside)], [is, []]);
          return;
        }
        outcomes.back += 1;
        assert.deepEqual(described(root), before);
        assert.equal(readTable(syscalls, root, done.table), done.table);
        const moved = described(aside);
        for (const [at, facts] of is)
          if (done.added.some((top) => at === top || at.startsWith(`${top}/`)))
            assert.deepEqual(moved.get(at), facts);
          else assert.ok(before.has(at), `${at} was there`);
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(outcomes.back > 100 && outcomes.left > 10, JSON.stringify(outcomes));
});

const BELOW =
  'mkdir -p a/deep/er; echo f >a/f; ln -s f a/link; echo e >a/deep/er/e; touch -d @1600000000 a/f a';

/** As acl(5) has it and Linux stores it: user::rwx,user:7:r-x,group::r-x,mask::r-x,other::r-x. */
const ACL = `0x02000000${['01000700ffffffff', '0200050007000000', '04000500ffffffff', '10000500ffffffff', '20000500ffffffff'].join('')}`;

/** What a stage does upon another one, and whether a third upon that one gets its tree. */
const GROWTH: readonly (readonly [what: string, scripts: readonly string[], isTakenBack: boolean])[] = [
  [
    'what is new in new places and in old ones',
    [
      'mkdir -p src/deep; echo 1 >src/deep/f; ln src/deep/f src/g; ln -s deep/f src/l; mkfifo src/p; echo 2 >a/new',
    ],
    true,
  ],
  ['several steps', ['mkdir -p src/deep', 'echo 1 >src/deep/f; echo 2 >a/deep/new', 'rm a/deep/new'], true],
  ['what comes and goes', ['mkdir src; echo t >a/t', 'rm a/t'], true],
  ['another content', ['mkdir src; echo o >a/f'], false],
  [
    'another content with the same facts',
    ['mkdir src; printf "o\\n" >a/f; touch -d @1600000000 a/f a'],
    false,
  ],
  ['one more name', ['mkdir src; ln a/f src/f'], false],
  ['a file that is gone', ['mkdir src; rm a/f'], false],
  ['a file that came back', ['mkdir src; mv a/f t', 'mv t a/f'], false],
  ['a symlink made again', ['mkdir src; rm a/link; ln -s f a/link'], false],
  [
    'a directory that is another one',
    ['mkdir src; rm -r a/deep; mkdir -p a/deep/er; echo e >a/deep/er/e'],
    false,
  ],
  ['a directory with another name', ['mkdir src; mv a/deep a/other'], false],
  ['rights of a directory', ['mkdir src; chmod 700 a'], false],
  ['the owner of a directory', ['mkdir src; chown 7:8 a'], false],
  ['an attribute of a directory', ['mkdir src; setfattr -n user.y -v 1 a/deep'], false],
  [
    'a default ACL of a directory',
    [`mkdir src; setfattr -n system.posix_acl_default -v ${ACL} a/deep`],
    false,
  ],
];

function openStates(t: TestContext, takesBack: boolean) {
  const dir = tempDir(t);
  const stages = path.join(dir, 'stages');
  fs.mkdirSync(stages);
  let [files, extracted] = [0, 0];
  const states = createTreeStates({
    dir: stages,
    tickFile: path.join(dir, 'tick'),
    takesBack,
    layerFile: () => {
      files += 1;
      return path.join(dir, `layer${files}`);
    },
    run: () => assert.fail('nothing runs'),
    syscalls,
    extract: (request) => {
      extracted += 1;
      return extractLayers(request, { sys: syscalls });
    },
    createLayerWriter: (file, compression) => createFileLayerWriter(file, { compression }),
    blobOf: ({ mediaType, digest, size, diffId, toc, file }) => ({
      ...{ mediaType, digest, size, diffId },
      ...(toc ? { toc } : {}),
      ...fileBlob(file),
    }),
    emit: silent,
    signal: new AbortController().signal,
  });
  return { states, extracted: () => extracted, settled: states.settled };
}

async function stage(from: RootfsState, scripts: readonly string[]): Promise<RootfsState> {
  let state = from;
  for (const script of scripts) state = (await step(state, (root) => sh(root, script))).next;
  return state;
}

const withoutTimes = (root: string): unknown[] =>
  describeTree(root, syscalls).flatMap(({ first, size, mtime, ...rest }) => (rest.path === '' ? [] : [rest]));

for (const [what, scripts, isTakenBack] of GROWTH)
  test(`a third stage upon the first, after a second with ${what}`, async (t) => {
    const seen: unknown[] = [];
    for (const takesBack of [true, false]) {
      const { states, extracted, settled } = openStates(t, takesBack);
      t.after(settled);
      const first = await stage(states.fromLayers([]), [BELOW]);
      const second = await stage(first, scripts);
      const third = await stage(first, ['cat a/f >sibling', 'ls -R . >>sibling']);
      assert.equal(extracted(), takesBack && isTakenBack ? 0 : 1, 'trees that were extracted');
      const paths = ['/src/'];
      const part = await second.read(async (root) => withoutTimes(path.join(root, 'src')), paths);
      assert.equal(extracted(), takesBack && isTakenBack ? 0 : 1, 'a copy of what is new needs no tree');
      const [two, three] = [
        await second.read(async (root) => withoutTimes(root), ['/s*c']),
        await third.read(async (root) => withoutTimes(root)),
      ];
      assert.equal(extracted(), 1, 'a pattern needs the whole tree');
      seen.push({ part, two, three });
    }
    assert.deepEqual(seen[0], seen[1]);
  });

test('only paths that are new from the top, without patterns and links on the way, can be read alone', (t) => {
  const aside = tempDir(t);
  sh(aside, 'mkdir -p usr/app/bin old/new; touch usr/app/f old/new/f; ln -s app usr/app/link');
  const added = ['usr/app', 'old/new'];
  for (const [paths, expected] of [
    [['/usr/app'], true],
    [['usr/app/', 'old/new/f'], true],
    [['/usr/app/bin/../f'], true],
    [['/usr'], false],
    [['/'], false],
    [['/usr/app/x'], false],
    [['/usr/app/f/x'], false],
    [['/usr/app', '/etc'], false],
    [['/usr/app/../other'], false],
    [['/usr/ap*'], false],
    [['/usr/app/?'], false],
    [['/usr/app/[f]'], false],
    [['/usr/app/\\f'], false],
    [['/usr/app/link'], false],
    [['/usr/app/link/f'], false],
  ] as const)
    assert.equal(liesAside(aside, added, paths), expected, paths.join(' '));
});
