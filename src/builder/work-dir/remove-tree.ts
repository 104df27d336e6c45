import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { decodePath, fsPath } from '../../core/path-bytes.ts';

/**
 * Deletes a file or a directory with all that is in it, for as long as there is time. No symlink is followed.
 * @param deadline as performance.now tells the time
 * @returns whether nothing is left
 */
export function removeTreeUntil(path: string, deadline: number): boolean {
  const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (!stat) return true;
  if (!stat.isDirectory()) return removeFile(path, deadline);
  return removeDirectory(path, deadline);
}

function removeDirectory(path: string, deadline: number): boolean {
  for (const entry of readdirSync(fsPath(path), { withFileTypes: true, encoding: 'buffer' })) {
    const child = `${path}/${decodePath(entry.name)}`;
    const gone = entry.isDirectory() ? removeDirectory(child, deadline) : removeFile(child, deadline);
    if (!gone) return false;
  }
  rmdirSync(fsPath(path));
  return true;
}

function removeFile(path: string, deadline: number): boolean {
  if (performance.now() >= deadline) return false;
  unlinkSync(fsPath(path));
  return true;
}
