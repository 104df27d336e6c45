import { closeSync, fchmodSync, fchownSync, writeSync } from 'node:fs';
import {
  createSmallFileReader,
  createSmallFilesFiller,
  directoryAt,
  type SmallFiles,
} from '../../context/small-files.ts';
import type { TreeNode } from '../../context/types.ts';
import { createBeneath } from '../../sys/beneath.ts';
import { createEntries } from '../../sys/entries.ts';
import { createEntry } from '../../sys/entry.ts';
import type { Syscalls } from '../../sys/types.ts';

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
  readonly files: SmallFiles;
  /** The directories that those of the files go to. */
  readonly targets: readonly Pick<FreshDirectory, 'to' | 'gid'>[];
  /** META_WORDS for each file. */
  readonly meta: Uint32Array<ArrayBuffer>;
}

/** What a file is to be. */
interface CopiedFile {
  readonly node: TreeNode;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
}

/** A time is a signed number of 64 bits in two words, the lower one first. */
const META = { mode: 0, uid: 1, gid: 2, time: 3, nanoseconds: 5 } as const;
const META_WORDS = META.nanoseconds + 1;
const WORD = 2 ** 32;

/** A batch that is being filled. */
export interface BatchFiller {
  /** Whether take() comes before a file of this directory. */
  isFullFor(directory: FreshDirectory): boolean;
  /** @param file one that isSmallFile() */
  add(directory: FreshDirectory, file: CopiedFile): void;
  /** What was added so far; the next file begins another batch. */
  take(): CopyBatch;
}

/** @see BatchFiller */
export function createBatchFiller(): BatchFiller {
  const files = createSmallFilesFiller();
  let targets: FreshDirectory[] = [];
  let meta: number[] = [];
  return {
    isFullFor: ({ from }) => files.isFullFor(from),
    add: (directory, { node, name, mode, uid, gid, mtime, mtimeNsec }) => {
      files.add(directory.from, name, node);
      if (targets.at(-1) !== directory) targets.push(directory);
      meta.push(mode, uid, gid, mtime >>> 0, Math.floor(mtime / WORD), mtimeNsec);
    },
    take: () => {
      const batch = { files: files.take(), targets, meta: Uint32Array.from(meta) };
      targets = [];
      meta = [];
      return batch;
    },
  };
}

/** Writes all of it where the file stands; nothing for an empty one. */
export function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
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

/** @param root host path of the tree that is written; nothing outside it is */
export function createBatchCopier(
  root: string,
  syscalls: Pick<Syscalls, 'openat2' | 'futimes'>,
): BatchCopier {
  const directory = createBeneath(syscalls)(root);
  const entries = createEntries(directory, { links: 'in-root', make: false });
  const read = createSmallFileReader(syscalls);
  const [ownUid, ownGid] = [process.geteuid!(), process.getegid!()];

  const copyFile = ({ files, targets, meta }: CopyBatch, index: number): boolean => {
    const content = read(files, index);
    if (!content) return false;
    const { to, gid: above } = targets[directoryAt(files, index)]!;
    const name = files.names[index]!;
    const file = createEntry(entries.at(to === '' ? name : `${to}/${name}`));
    try {
      writeAll(file, content);
      const at = index * META_WORDS;
      const [uid, gid] = [meta[at + META.uid]!, meta[at + META.gid]!];
      // A new file is ours, and of our group or of that of its directory.
      if (uid !== ownUid || gid !== ownGid || gid !== above) fchownSync(file, uid, gid);
      fchmodSync(file, meta[at + META.mode]!);
      const seconds = meta[at + META.time]! + (meta[at + META.time + 1]! | 0) * WORD;
      syscalls.futimes(file, seconds, meta[at + META.nanoseconds]!);
    } finally {
      closeSync(file);
    }
    return true;
  };

  return {
    copy: (batch) => {
      const left: number[] = [];
      for (const index of batch.files.names.keys()) {
        let copied = false;
        try {
          copied = copyFile(batch, index);
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
