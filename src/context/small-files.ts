import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { createOpenPlain } from '../sys/beneath.ts';
import { FACT, factsOf, isFile, STATE_WORDS } from '../sys/path-facts.ts';
import type { Syscalls } from '../sys/types.ts';
import type { TreeNode } from './types.ts';

/** Bytes up to which a file is read as a whole. */
export const SMALL = 128 * 1024;

/** Files from which on threads pay, which take some 30 ms of processor time to start. */
export const MANY_FILES = 4096;

/** Small files as they were listed, packed to be handed to a thread. */
export interface SmallFiles {
  /** Host paths of the directories that they lie in, free of links. */
  readonly directories: readonly string[];
  readonly names: readonly string[];
  /** ROW_WORDS for each name. */
  readonly rows: Uint32Array<ArrayBuffer>;
}

const ROW = { directory: 0, size: 1, state: 2 } as const;
const ROW_WORDS = ROW.state + STATE_WORDS;
/** Files from which on a batch ends with their directory, and most of one: two threads wait for each other in a directory. */
const [ENOUGH_FILES, MOST_FILES] = [128, 1024];

/** Whether a node is a small file that may be in a batch: one that lies on this machine, without attributes or other names. */
export function isSmallFile({ type, size, version, hardlink, xattrs }: TreeNode): boolean {
  return (
    type === 'file' && size <= SMALL && !!version && isFile(version) && hardlink === undefined && !xattrs
  );
}

/** A batch that is being filled. */
export interface SmallFilesFiller {
  /** Whether take() comes before a file of this directory. */
  isFullFor(directory: string): boolean;
  /** @param node one that isSmallFile() */
  add(directory: string, name: string, node: TreeNode): void;
  /** What was added so far; the next file begins another batch. */
  take(): SmallFiles;
}

/** @see SmallFilesFiller */
export function createSmallFilesFiller(): SmallFilesFiller {
  let directories: string[] = [];
  let names: string[] = [];
  let rows = new Uint32Array(ENOUGH_FILES * ROW_WORDS);
  return {
    isFullFor: (directory) =>
      names.length === MOST_FILES || (names.length >= ENOUGH_FILES && directories.at(-1) !== directory),
    add: (directory, name, { size, version }) => {
      if (directories.at(-1) !== directory) directories.push(directory);
      const at = names.length * ROW_WORDS;
      if (at === rows.length) {
        const larger = new Uint32Array(2 * at);
        larger.set(rows);
        rows = larger;
      }
      rows[at + ROW.directory] = directories.length - 1;
      rows[at + ROW.size] = size;
      for (let word = 0; word < STATE_WORDS; word += 1)
        rows[at + ROW.state + word] = version![FACT.dev + word]!;
      names.push(name);
    },
    take: () => {
      const files = { directories, names, rows };
      directories = [];
      names = [];
      rows = new Uint32Array(ENOUGH_FILES * ROW_WORDS);
      return files;
    },
  };
}

/** The number of the directory that a file lies in. */
export function directoryAt({ rows }: SmallFiles, index: number): number {
  return rows[index * ROW_WORDS + ROW.directory]!;
}

let buffer: Buffer | undefined;

/**
 * Reads an open file from where it stands.
 * @param size up to SMALL
 * @returns its content, right until the next call; less of it where the file ends before
 */
export function readSmall(fd: number, size: number): Buffer {
  buffer ??= Buffer.allocUnsafeSlow(SMALL);
  let length = 0;
  for (let count = 1; count > 0 && length < size; length += count)
    count = readSync(fd, buffer, length, size - length, null);
  return buffer.subarray(0, length);
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const READING = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/**
 * A function that reads a file of a batch.
 * @returns a function whose result is right until the next call, and undefined where the file is not the very one that was
 * listed, or not as it was. It throws what openat2(2) and read(2) say.
 */
export function createSmallFileReader(
  syscalls: Pick<Syscalls, 'openat2'>,
): (files: SmallFiles, index: number) => Buffer | undefined {
  const openPlain = createOpenPlain(syscalls);
  return (files, index) => {
    const { directories, names, rows } = files;
    const at = index * ROW_WORDS;
    const fd = openPlain(`${directories[directoryAt(files, index)]}/${names[index]}`, READING);
    try {
      const content = readSmall(fd, rows[at + ROW.size]!);
      const facts = factsOf(fstatSync(fd, { bigint: true }));
      for (let word = 0; word < STATE_WORDS; word += 1)
        if (facts[FACT.dev + word] !== rows[at + ROW.state + word]) return undefined;
      return content;
    } finally {
      closeSync(fd);
    }
  };
}
