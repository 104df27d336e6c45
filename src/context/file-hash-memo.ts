import { createHash } from 'node:crypto';
import { type Digest, hexOf } from '../core/digest.ts';
import { createPackedRows, createRowIndex, type PackedRows } from '../core/packed.ts';
import { release } from '../core/release.ts';
import { FACT, type PathFacts, STATE_WORDS, sameWords, timeOf } from '../sys/path-facts.ts';
import { RACY_SECONDS, readMemoFile, writeMemoFile } from './memo-file.ts';

/** What is known of a file that has not changed since it was hashed. */
export interface FileFacts {
  readonly digest: Digest;
  /** Whether it is known to have no extended attributes that a copy keeps; setting one changes the ctime. */
  readonly plain: boolean;
}

/** Facts of files that have not changed since they were hashed. */
export interface HashMemo {
  get(file: PathFacts): FileFacts | undefined;
  /** Nanoseconds since the epoch. */
  now(): bigint;
  /** @param begun when reading the file began, by `now`; at this moment when left out */
  set(file: PathFacts, facts: FileFacts, begun?: bigint): void;
  /** Says that files were not asked for because a whole tree of them is known; what was known of them stays. */
  keepUnused(): void;
  /** Writes the memo for the next process, when it has a file and learnt something. */
  save(): void;
}

const RACY_NS = BigInt(RACY_SECONDS) * 1_000_000_000n;
/** Rows follow, and the SHA-256 of them all. */
const HEADER = 'envbuilder file hashes 3';
/** Those of them that say which one. */
const INODE_WORDS = FACT.size - FACT.dev;
const ROW = { state: 0, digest: STATE_WORDS, mark: STATE_WORDS + 8 } as const;
const ROW_WORDS = STATE_WORDS + 9;
const ROW_BYTES = ROW_WORDS * 4;
const SHA256_BYTES = 32;
/** Bits of the mark; a row in the file has PLAIN alone. */
const [PLAIN, USED] = [1, 2];
/** Rows that are written at once. */
const PART_ROWS = 1024;
/** Files that were not asked for and stay known; more of them may be of trees that are no longer there. */
const MOST_UNUSED = 300_000;

/** Whether facts are of the same file in the same state, as far as lstat can tell. */
export function sameState(a: PathFacts, b: PathFacts): boolean {
  return sameWords(a, b, FACT.dev, STATE_WORDS);
}

/**
 * @param file where the memo is kept between processes; a damaged one is ignored, and one that cannot be written is not
 * written
 * @param now nanoseconds since the epoch
 */
export function createHashMemo(
  file?: string,
  now: () => bigint = () => BigInt(Date.now()) * 1_000_000n,
): HashMemo {
  /** Those of the file, in its order, and behind them what was learnt. */
  let rows: PackedRows | undefined;
  let index: ReturnType<typeof createRowIndex> | undefined;
  /** The numbers of rows, in the order in which they were asked for first. */
  const used = createPackedRows(1);
  let [learnt, keep] = [false, false];
  /** The row of the next file, as long as they are asked for in the order in which they were written. */
  let next = 0;

  const load = (): PackedRows => {
    rows ??= (file === undefined ? undefined : readRows(file)) ?? createPackedRows(ROW_WORDS);
    return rows;
  };
  const find = (facts: PathFacts): number | undefined => {
    const all = load();
    if (next < all.count && isOf(all, next, facts)) return next;
    index ??= indexOf(all, STATE_WORDS);
    return index.find(facts, FACT.dev);
  };
  const use = (row: number, mark: number): void => {
    const all = load();
    if ((all.get(row, ROW.mark) & USED) === 0) used.set(used.add(), 0, row);
    all.set(row, ROW.mark, mark | USED);
    next = row + 1;
  };
  return {
    now,
    get: (facts) => {
      const row = find(facts);
      if (row === undefined) return undefined;
      const mark = load().get(row, ROW.mark);
      use(row, mark);
      return { digest: digestAt(load(), row), plain: (mark & PLAIN) !== 0 };
    },
    set: (facts, { digest, plain }, begun = now()) => {
      if (begun - timeOf(facts, 'ctime') < RACY_NS || begun - timeOf(facts, 'mtime') < RACY_NS) return;
      const all = load();
      let row = find(facts);
      if (row === undefined) {
        row = all.add();
        for (let word = 0; word < STATE_WORDS; word += 1) all.set(row, word, facts[FACT.dev + word]!);
        index?.add(row);
      }
      const bytes = Buffer.from(hexOf(digest), 'hex');
      for (let at = 0; at < SHA256_BYTES; at += 4) all.set(row, ROW.digest + at / 4, bytes.readUInt32LE(at));
      use(row, plain ? PLAIN : 0);
      learnt = true;
    },
    keepUnused: () => {
      keep = true;
    },
    save: () => {
      if (file !== undefined && learnt) write(file, load(), used, keep);
      learnt = false;
    },
  };
}

function isOf(rows: PackedRows, row: number, facts: PathFacts): boolean {
  for (let word = 0; word < STATE_WORDS; word += 1)
    if (rows.get(row, word) !== facts[FACT.dev + word]) return false;
  return true;
}

/** Bytes of a row, as they stand in the file; they are right until the next ones. */
function createRowBytes(rows: PackedRows): (row: number) => Buffer {
  const words = new Uint32Array(ROW_WORDS);
  const bytes = Buffer.from(words.buffer);
  return (row) => {
    rows.read(row, words);
    return bytes;
  };
}

function digestAt(rows: PackedRows, row: number): Digest {
  const bytes = Buffer.allocUnsafe(SHA256_BYTES);
  for (let at = 0; at < SHA256_BYTES; at += 4) bytes.writeUInt32LE(rows.get(row, ROW.digest + at / 4), at);
  return `sha256:${bytes.toString('hex')}`;
}

function indexOf(rows: PackedRows, words: number): ReturnType<typeof createRowIndex> {
  const index = createRowIndex(rows, words);
  for (let row = 0; row < rows.count; row += 1) index.add(row);
  return index;
}

function readRows(file: string): PackedRows | undefined {
  const bytes = readMemoFile(file, HEADER);
  if (!bytes || bytes.length % ROW_BYTES !== SHA256_BYTES % ROW_BYTES) return undefined;
  const content = bytes.subarray(0, -SHA256_BYTES);
  if (!createHash('sha256').update(content).digest().equals(bytes.subarray(-SHA256_BYTES))) return undefined;
  const rows = createPackedRows(ROW_WORDS);
  for (let at = 0; at < content.length; at += ROW_BYTES) {
    const row = rows.add();
    for (let word = 0; word < ROW_WORDS; word += 1) rows.set(row, word, content.readUInt32LE(at + word * 4));
  }
  release(bytes, HEADER.length + 1);
  return rows;
}

function write(file: string, rows: PackedRows, used: PackedRows, keep: boolean): void {
  const order = Array.from({ length: used.count }, (_, at) => used.get(at, 0));
  writeMemoFile(file, HEADER, contentOf(rows, keep ? [...order, ...unusedRows(rows, order)] : order));
}

/** What is known of files besides those that were used or seen in another state. */
function unusedRows(rows: PackedRows, used: readonly number[]): number[] {
  const seen = createRowIndex(rows, INODE_WORDS);
  for (const row of used) seen.add(row);
  const unused: number[] = [];
  const inode = new Uint32Array(INODE_WORDS);
  for (let row = 0; row < rows.count; row += 1) {
    rows.read(row, inode);
    if (seen.find(inode, 0) === undefined) unused.push(row);
  }
  return unused.slice(-MOST_UNUSED);
}

/** Parts of a memo, each of which is right until the next one. */
function* contentOf(rows: PackedRows, order: Iterable<number>): Generator<Buffer> {
  const hash = createHash('sha256');
  const bytesOf = createRowBytes(rows);
  const part = Buffer.alloc(PART_ROWS * ROW_BYTES);
  let end = 0;
  for (const row of order) {
    bytesOf(row).copy(part, end);
    part.writeUInt32LE(rows.get(row, ROW.mark) & PLAIN, end + ROW.mark * 4);
    end += ROW_BYTES;
    if (end < part.length) continue;
    hash.update(part);
    yield part;
    end = 0;
  }
  const rest = part.subarray(0, end);
  yield rest;
  yield hash.update(rest).digest();
}
