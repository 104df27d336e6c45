import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Why Docker is not asked about sparse files that no disk holds. */
export const NOT_DOCKER = 'Docker writes, or sends, every zero of it';

/** What the kinds are named after: more than a small disk holds. */
const TIB = 2 ** 40;

/** The size of a sparse file that this disk has no room for. */
export function moreThanDisk(): number {
  return Math.max(TIB, 2 * disk().size);
}

/** Sizes of sparse files of which each has room, and all together have none. */
export function moreTogether(): { readonly count: number; readonly size: number } {
  const { size, free } = disk();
  const each = Math.floor(free / 2);
  return { size: each, count: Math.ceil((2 * size) / each) };
}

function disk(): { readonly size: number; readonly free: number } {
  const { blocks, bavail, bsize } = statfsSync(tmpdir());
  return { size: blocks * bsize, free: bavail * bsize };
}
