import { closeSync, constants, fchmodSync, fchownSync, fstatSync, readSync, writeSync } from 'node:fs';
import type { TreeNode } from '../../context/types.ts';
import { createBeneath, createOpenPlain } from '../../sys/beneath.ts';
import { createEntries } from '../../sys/entries.ts';
import { createEntry } from '../../sys/entry.ts';
import { FACT, factsOf, isFile } from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';

/** Bytes up to which a file is read and written, which takes less calls than having it copied. */
export const SMALL = 128 * 1024;

/** Files from which on a batch ends with their directory, and most of one: two threads wait for each other in a directory. */
const [ENOUGH_FILES, MOST_FILES] = [128, 1024];

/** A directory that the COPY has made itself, so that nothing is in it but what the COPY has put there. */
export interface FreshDirectory {
  /** Path of the directory that the files lie in, below the root of their tree. */
  readonly path: string;
  /** The same as a host path, free of links. */
  readonly from: string;
  /** The made one, relative to the root, without links. */
  readonly to: string;
  /** Group of the made one. */
  readonly gid: number;
}

/** Small files that are put into fresh directories under the names that they have, packed to be handed to a thread. */
export interface CopyBatch {
  readonly directories: readonly FreshDirectory[];
  readonly names: readonly string[];
  /** ROW_WORDS for each name. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

/** What a file is to be, and how it was listed. */
interface CopiedFile {
  readonly node: TreeNode;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
}

/** Words that say which file it was and in which state: dev, ino, size, mtime and ctime of its facts. */
const STATE_WORDS = FACT.birth - FACT.dev;
/** A time is a signed number of 64 bits in two words, the lower one first. */
const ROW = { directory: 0, mode: 1, uid: 2, gid: 3, time: 4, nanoseconds: 6, size: 7, state: 8 } as const;
const ROW_WORDS = ROW.state + STATE_WORDS;
const WORD = 2 ** 32;

/** Whether a batch may hold a file: a small one without attributes or other names that lies on this machine. */
export function fitsBatch({ type, size, version, hardlink, xattrs }: TreeNode): boolean {
  return (
    type === 'file' && size <= SMALL && !!version && isFile(version) && hardlink === undefined && !xattrs
  );
}

/** A batch that is being filled. */
export interface BatchFiller {
  /** Whether take() comes before a file of this directory. */
  isFullFor(directory: FreshDirectory): boolean;
  /** @param file one that fitsBatch() */
  add(directory: FreshDirectory, file: CopiedFile): void;
  /** What was added so far; the next file begins another batch. */
  take(): CopyBatch;
}

/** @see BatchFiller */
export function createBatchFiller(): BatchFiller {
  let directories: FreshDirectory[] = [];
  let names: string[] = [];
  let rows = new Uint32Array(ENOUGH_FILES * ROW_WORDS);
  return {
    isFullFor: (directory) =>
      names.length === MOST_FILES || (names.length >= ENOUGH_FILES && directories.at(-1) !== directory),
    add: (directory, { node, name, mode, uid, gid, mtime, mtimeNsec }) => {
      if (directories.at(-1) !== directory) directories.push(directory);
      const at = names.length * ROW_WORDS;
      if (at === rows.length) {
        const larger = new Uint32Array(2 * at);
        larger.set(rows);
        rows = larger;
      }
      rows[at + ROW.directory] = directories.length - 1;
      rows[at + ROW.mode] = mode;
      rows[at + ROW.uid] = uid;
      rows[at + ROW.gid] = gid;
      rows[at + ROW.time] = mtime;
      rows[at + ROW.time + 1] = Math.floor(mtime / WORD);
      rows[at + ROW.nanoseconds] = mtimeNsec;
      rows[at + ROW.size] = node.size;
      for (let word = 0; word < STATE_WORDS; word += 1)
        rows[at + ROW.state + word] = node.version![FACT.dev + word]!;
      names.push(name);
    },
    take: () => {
      const batch = { directories, names, rows };
      directories = [];
      names = [];
      rows = new Uint32Array(ENOUGH_FILES * ROW_WORDS);
      return batch;
    },
  };
}

/** Copies batches. */
export interface BatchCopier {
  /**
   * @returns indices of the files that are not there, or not all of them: whatever kept them from it, whoever copies them one
   * by one finds it too, and says so
   */
  copy(batch: CopyBatch): number[];
  close(): void;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const READING = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/** @param root host path of the tree that is written; nothing outside it is */
export function createBatchCopier(
  root: string,
  syscalls: Pick<Syscalls, 'openat2' | 'futimes'>,
): BatchCopier {
  const directory = createBeneath(syscalls)(root);
  const entries = createEntries(directory, { links: 'in-root', make: false });
  const openPlain = createOpenPlain(syscalls);
  const [ownUid, ownGid] = [process.geteuid!(), process.getegid!()];
  const buffer = Buffer.allocUnsafe(SMALL);

  /** The content of the very file that was listed, if it is still as it was; undefined if not. */
  const read = (path: string, rows: Uint32Array, at: number): Buffer | undefined => {
    const fd = openPlain(path, READING);
    try {
      const size = rows[at + ROW.size]!;
      let length = 0;
      for (let count = 1; count > 0 && length < size; length += count)
        count = readSync(fd, buffer, length, size - length, null);
      const facts = factsOf(fstatSync(fd, { bigint: true }));
      for (let word = 0; word < STATE_WORDS; word += 1)
        if (facts[FACT.dev + word] !== rows[at + ROW.state + word]) return undefined;
      return buffer.subarray(0, length);
    } finally {
      closeSync(fd);
    }
  };
  const copyFile = (
    { from, to, gid: above }: FreshDirectory,
    name: string,
    rows: Uint32Array,
    at: number,
  ) => {
    const content = read(`${from}/${name}`, rows, at);
    if (!content) return false;
    const file = createEntry(entries.at(to === '' ? name : `${to}/${name}`));
    try {
      for (let done = 0; done < content.length; ) done += writeSync(file, content, done);
      const [uid, gid] = [rows[at + ROW.uid]!, rows[at + ROW.gid]!];
      // A new file is ours, and of our group or of that of its directory.
      if (uid !== ownUid || gid !== ownGid || gid !== above) fchownSync(file, uid, gid);
      fchmodSync(file, rows[at + ROW.mode]!);
      const seconds = rows[at + ROW.time]! + (rows[at + ROW.time + 1]! | 0) * WORD;
      syscalls.futimes(file, seconds, rows[at + ROW.nanoseconds]!);
    } finally {
      closeSync(file);
    }
    return true;
  };

  return {
    copy: ({ directories, names, rows }) => {
      const left: number[] = [];
      for (const [index, name] of names.entries()) {
        const at = index * ROW_WORDS;
        let copied = false;
        try {
          copied = copyFile(directories[rows[at + ROW.directory]!]!, name, rows, at);
        } catch {
          // Found again by whoever copies it.
        }
        if (!copied) left.push(index);
      }
      return left;
    },
    close: () => {
      entries.close();
      directory.close();
    },
  };
}
