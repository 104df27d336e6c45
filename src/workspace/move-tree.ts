import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Moves what a clone checked out into the workspace, `.git` last: only then is the workspace a clone. What the workspace
 * has already stays as it is. Can be called again after it was interrupted.
 * @returns paths whose content in the workspace is not what the clone has
 */
export function moveTree(from: string, to: string): readonly string[] {
  const kept: string[] = [];
  for (const name of readdirSync(from)) if (name !== '.git') moveEntry(from, to, name, kept);
  mkdirSync(to, { recursive: true });
  const old = join(to, '.git');
  // Whatever it is, it is no repository: see isClone.
  if (lstat(old) !== undefined) rmSync(old, { recursive: true, force: true });
  moveWhole(join(from, '.git'), old);
  return kept;
}

function moveEntry(from: string, to: string, path: string, kept: string[]): void {
  const [source, target] = [join(from, path), join(to, path)];
  const [ours, theirs] = [lstatSync(source), lstat(target)];
  if (theirs === undefined) return moveWhole(source, target);
  if (ours.isDirectory() && theirs.isDirectory()) {
    for (const name of readdirSync(source)) moveEntry(from, to, join(path, name), kept);
    return;
  }
  if (!sameContent(source, ours, target, theirs)) kept.push(path);
}

function moveWhole(source: string, target: string): void {
  try {
    renameSync(source, target);
  } catch (error) {
    // A folder below may be a mount of its own.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    cpSync(source, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}

function sameContent(source: string, ours: Stats, target: string, theirs: Stats): boolean {
  if (ours.isSymbolicLink() && theirs.isSymbolicLink()) return readlinkSync(source) === readlinkSync(target);
  if (!ours.isFile() || !theirs.isFile() || ours.size !== theirs.size) return false;
  return readFileSync(source).equals(readFileSync(target));
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
