import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import {
  FACT,
  factsOf,
  isDirectory,
  isFile,
  isSymlink,
  type PathFacts,
  rowAt,
  sizeOf,
  timeOf,
} from './path-facts.ts';
import { createSyscalls } from './syscalls.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-list-'));
const syscalls = createSyscalls();
after(() => rmSync(scratch, { recursive: true, force: true }));

function list(directory: string): Map<string, PathFacts> {
  const { count, names, rows } = syscalls.listDirectory(directory);
  const found = new Map<string, PathFacts>();
  for (let i = 0, at = 0; i < count; i += 1) {
    const end = names.indexOf(0, at);
    found.set(decodePath(names.subarray(at, end)), rowAt(rows.slice(), i));
    at = end + 1;
  }
  assert.equal(found.size, count);
  return found;
}

const bits = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);

function compareWithLstat(directory: string): string[] {
  const found = list(directory);
  for (const [name, facts] of found) {
    const stat = lstatSync(fsPath(join(directory, name)), { bigint: true });
    assert.deepEqual(factsOf(stat), facts, name);
    const { dev, rdev } = FACT;
    const deviceOf = (at: number): string => `${facts[at]! >>> 20}:${facts[at]! & 0xfffff}`;
    assert.deepEqual(
      [
        ...[facts[FACT.mode], facts[FACT.nlink], facts[FACT.uid], facts[FACT.gid]],
        ...[bits(facts[FACT.ino]!, facts[FACT.ino + 1]!), sizeOf(facts)],
        ...[timeOf(facts, 'mtime'), timeOf(facts, 'ctime'), deviceOf(dev), deviceOf(rdev)],
        ...[isDirectory(facts), isFile(facts), isSymlink(facts)],
        ...[
          bits(facts[FACT.birth]!, facts[FACT.birth + 1]!) * 1_000_000_000n + BigInt(facts[FACT.birth + 2]!),
        ],
      ],
      [
        ...[Number(stat.mode), Number(stat.nlink), Number(stat.uid), Number(stat.gid)],
        ...[stat.ino, Number(stat.size)],
        ...[stat.mtimeNs, stat.ctimeNs, numberOf(stat.dev), numberOf(stat.rdev)],
        ...[stat.isDirectory(), stat.isFile(), stat.isSymbolicLink()],
        stat.birthtimeNs,
      ],
      name,
    );
  }
  return [...found.keys()].sort();
}

/** makedev(3) backwards. */
function numberOf(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  return `${major}:${(device & 0xffn) | ((device >> 12n) & 0xffffff00n)}`;
}

test('a directory is listed with the facts that lstat gives', () => {
  const dir = join(scratch, 'facts');
  mkdirSync(dir);
  execFileSync(
    'bash',
    [
      '-euc',
      `mkdir -m 2750 d; touch .hidden ..a ...; echo x >f; ln f g; ln -s nowhere s; mkfifo p; chown 7:4000000000 f
       mknod n c 4000 70000; touch -d '1925-03-04 05:06:07.123456789' old; touch -d '2300-01-01' late
       echo >$'\\xff\\xe9'; echo >ä; echo >${'n'.repeat(255)}`,
    ],
    { cwd: dir, env: { ...process.env, LC_ALL: 'C.UTF-8' } },
  );
  truncateSync(join(dir, 'late'), 5 * 1024 ** 3 + 1);
  assert.deepEqual(
    compareWithLstat(dir),
    ['d', '.hidden', '..a', '...', 'f', 'g', 's', 'p', 'n', 'old', 'late', '\udcff\udce9', 'ä']
      .concat('n'.repeat(255))
      .sort(),
  );
});

test('a directory of any size is listed whole, and an empty one after it has nothing', () => {
  const [dir, empty] = [join(scratch, 'large'), join(scratch, 'empty')];
  mkdirSync(dir);
  mkdirSync(empty);
  const name = (i: number): string => `${i}-${'x'.repeat(240)}`;
  const count = 1100;
  for (let i = 0; i < count; i += 1) writeFileSync(join(dir, name(i)), '');
  assert.deepEqual([...list(dir).keys()].sort(), Array.from({ length: count }, (_, i) => name(i)).sort());
  assert.deepEqual(compareWithLstat(empty), []);
});

test('what is no directory, a symlink to one among it, is refused as node:fs does', () => {
  const link = join(scratch, 'link');
  symlinkSync(scratch, link);
  assert.throws(() => syscalls.listDirectory(link), { code: 'ENOTDIR', path: link });
  assert.throws(() => syscalls.listDirectory(join(scratch, 'none')), { code: 'ENOENT', syscall: 'open' });
});
