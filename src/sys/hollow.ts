import { closeSync, type Stats } from 'node:fs';
import { LIMITS } from '../core/limits.ts';
import { openPlainFile } from './plain.ts';
import { sharedSyscalls } from './syscalls.ts';

/** Unit of st_blocks (stat(2)). */
const BLOCK = 512;
/** Of a file of this many times what is stored of it, compression is no explanation: Btrfs writes a page for 32 of them. */
const HOLLOW = 64;

/**
 * Whether a file of a tree of blobs can only be a trap: hardly anything of it is stored, and reading the rest takes long.
 * Some file systems name no blocks, or do so late: what counts is where they say that data lies (lseek(2), SEEK_DATA),
 * which is all of it where they cannot say.
 * @param path free of links, as of sys/plain.ts
 */
export function isHollow(path: string, { size, blocks }: Pick<Stats, 'size' | 'blocks'>): boolean {
  return holdsLittle(size, blocks * BLOCK) && holdsLittle(size, storedOf(path, size));
}

const holdsLittle = (size: number, stored: number): boolean =>
  size - stored > LIMITS.blobHoles.most && stored * HOLLOW < size;

/** Bytes that lie in no hole; all of them where that cannot be asked. */
function storedOf(path: string, size: number): number {
  try {
    const file = openPlainFile(path);
    try {
      return sharedSyscalls()
        .dataSegments(file, size)
        .reduce((sum, [, length]) => sum + length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return size;
  }
}
