import type { Stats } from 'node:fs';
import { LIMITS } from '../core/limits.ts';
import { BLOCK, holesOf } from './holes.ts';
import { openPlainFile } from './plain.ts';
import { sharedSyscalls } from './syscalls.ts';

/** Of a file of this many times what is stored of it, compression is no explanation: Btrfs writes a page for 32 of them. */
const HOLLOW = 64;

/**
 * Whether a file of a tree of blobs can only be a trap: hardly anything of it is stored, and reading the rest takes long.
 * Some file systems name no blocks, or do so late: what counts is where they say that data lies (lseek(2), SEEK_DATA),
 * which is all of it where they cannot say.
 * @param path free of links, as of sys/plain.ts
 */
export function isHollow(path: string, { size, blocks }: Pick<Stats, 'size' | 'blocks'>): boolean {
  return areNearlyAll(size - blocks * BLOCK, size) && areNearlyAll(holesAt(path, size), size);
}

const areNearlyAll = (holes: number, size: number): boolean =>
  holes > LIMITS.blobHoles.most && (size - holes) * HOLLOW < size;

/** Bytes that lie in holes; none where that cannot be asked. */
function holesAt(path: string, size: number): number {
  try {
    return holesOf(openPlainFile(path), size, sharedSyscalls());
  } catch {
    return 0;
  }
}
