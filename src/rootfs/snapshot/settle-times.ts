import { posix } from 'node:path';
import { WHITEOUT_PREFIX } from '../../layer/whiteout.ts';
import { splitTime } from '../../sys/file-stat.ts';
import type { Syscalls } from '../../sys/types.ts';
import { join, type Scanned } from './entry.ts';

/**
 * Gives the files of a tree the times that they have in layers, so that later steps see what they would see after an
 * extraction: what is in the step's layer the fixed time, what was left out the time that it has below.
 * @param scanned of a tree in which nothing else is writing
 * @returns the paths whose times were set
 */
export function settleTimes(
  { root, entries, leftOut }: Scanned,
  { syscalls, mtime }: { readonly syscalls: Pick<Syscalls, 'lutimes'>; readonly mtime: number },
): string[] {
  const paths: string[] = [];
  for (let index = 0; index < entries.count; index += 1) {
    const entry = entries.get(index);
    if (posix.basename(entry.path).startsWith(WHITEOUT_PREFIX)) continue;
    if (entry.type !== 'hardlink') syscalls.lutimes(join(root, entry.path), mtime, 0);
    paths.push(entry.path);
  }
  for (const { path, mtimeNs } of leftOut) {
    const { seconds, nanoseconds } = splitTime(mtimeNs);
    syscalls.lutimes(join(root, path), Number(seconds), Number(nanoseconds));
    paths.push(path);
  }
  return paths;
}
