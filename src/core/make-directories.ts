import { mkdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { fsPath } from './path-bytes.ts';

/**
 * Makes a directory and those above it that are missing; one that is there already, also by a symlink, stays as it is.
 * Unlike `mkdirSync` with `recursive` it ends where no directory can be made though the one above is there, as in /proc.
 * @param mode of directories that are made
 * @throws Error as of node:fs; ENOTDIR where something else is in the way
 */
export function makeDirectories(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let at = path; !isMadeOrThere(at, mode); at = dirname(at)) {
    missing.push(at);
    if (at === dirname(at)) break;
  }
  for (const at of missing.reverse()) if (!isThere(at)) make(at, mode);
}

/** @returns false when the directory above is missing */
function isMadeOrThere(path: string, mode: number): boolean {
  if (isThere(path)) return true;
  try {
    make(path, mode);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}

function make(path: string, mode: number): void {
  try {
    mkdirSync(fsPath(path), mode);
  } catch (error) {
    // Somebody else may have been first; a symlink that leads nowhere is in the way like a file.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isThere(path)) throw error;
  }
}

function isThere(path: string): boolean {
  const found = statSync(fsPath(path), { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return found !== undefined;
  const details = { code: 'ENOTDIR', errno: -constants.errno.ENOTDIR, syscall: 'mkdir', path };
  throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), details);
}
