import type { BigIntStats } from 'node:fs';

/** The kinds of entries of a file system. */
export type FileType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

/** What lstat(2) found: one of seven kinds. */
export function fileType(stat: BigIntStats): FileType {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : 'socket';
}

/** A time in nanoseconds since the epoch as the kernel has it: whole seconds, and a rest that is never negative. */
export function splitTime(time: bigint): { readonly seconds: bigint; readonly nanoseconds: bigint } {
  const nanoseconds = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: (time - nanoseconds) / 1_000_000_000n, nanoseconds };
}

/** The numbers of a device, out of Linux's encoding in st_rdev (makedev(3)). */
export function deviceNumbers(rdev: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}
