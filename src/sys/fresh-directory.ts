import { closeSync, constants, mkdtempSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fsPath } from '../core/path-bytes.ts';
import { removeTree } from './remove-tree.ts';

/** Names that are tried, and files that are made in each. */
const [MOST_NAMES, TRIAL_FILES] = [6, 3];
/** Milliseconds that a new file takes at most where nothing is in its way: it takes 0.02, and ten times that elsewhere. */
const QUICK_MS = 0.1;

/** @see makeFreshDirectory */
export interface FreshDirectoryDeps {
  /** Makes a file and tells how many milliseconds that took; measured when left out. */
  readonly trial?: (file: string) => number;
}

/**
 * Makes a directory for many files, with a name that none had before. For each file ext4 walks past the inodes that were
 * deleted in the last minutes in the block group (`recently_deleted` of fs/ext4/ialloc.c), which may take ten times as long as
 * all the rest; so a few files are made for a trial, and other names tried where they take long.
 * @param parent a directory marked by Syscalls.spreadDirectories, so that a name decides where the files are
 * @returns its path; its mode is 0700
 */
export function makeFreshDirectory(
  parent: string,
  prefix: string,
  { trial = timeOfFile }: FreshDirectoryDeps = {},
): string {
  let best: { readonly path: string; readonly ms: number } | undefined;
  for (let tried = 0; tried < MOST_NAMES && (best === undefined || best.ms > QUICK_MS); tried += 1) {
    const path = mkdtempSync(join(parent, prefix));
    const ms = timeIn(path, trial);
    const [kept, other] = best && best.ms <= ms ? [best, path] : [{ path, ms }, best?.path];
    if (other !== undefined) removeTree(other);
    best = kept;
  }
  return best!.path;
}

/** The least of some trials, since others use the processors too. What they made is gone. */
function timeIn(path: string, trial: (file: string) => number): number {
  const times = Array.from({ length: TRIAL_FILES }, (_, index) => trial(join(path, `trial-${index}`)));
  for (const index of times.keys()) unlinkSync(fsPath(join(path, `trial-${index}`)));
  return Math.min(...times);
}

function timeOfFile(file: string): number {
  const start = performance.now();
  closeSync(openSync(fsPath(file), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
  return performance.now() - start;
}
