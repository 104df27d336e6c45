import { type BigIntStats, closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../core/make-directories.ts';
import { copyPlain } from '../sys/copy-plain.ts';
import { lstatEntry, readlinkEntry } from '../sys/entry.ts';
import { atPlain, movePlain, namesPlain, openPlainFile, realPathOf, removePlain } from '../sys/plain.ts';

const CHUNK = 1024 * 1024;

/**
 * Moves what a clone checked out into the workspace, `.git` last: only then is the workspace a clone. What the workspace
 * has already stays as it is. Can be called again after it was interrupted.
 * @returns paths whose content in the workspace is not what the clone has
 */
export function moveTree(from: string, to: string): readonly string[] {
  const kept: string[] = [];
  makeDirectories(to);
  const [source, target] = [realPathOf(from), realPathOf(to)];
  for (const name of namesPlain(source)) if (name !== '.git') moveEntry(source, target, name, kept);
  const old = join(target, '.git');
  // Whatever it is, it is no repository: see isClone.
  removePlain(old);
  moveWhole(join(source, '.git'), old);
  return kept;
}

function moveEntry(from: string, to: string, path: string, kept: string[]): void {
  const [source, target] = [join(from, path), join(to, path)];
  const [ours, theirs] = [lstat(source)!, lstat(target)];
  if (theirs === undefined) return moveWhole(source, target);
  if (ours.isDirectory() && theirs.isDirectory()) {
    for (const name of namesPlain(source)) moveEntry(from, to, join(path, name), kept);
    return;
  }
  if (!sameContent(source, ours, target, theirs)) kept.push(path);
}

function moveWhole(source: string, target: string): void {
  try {
    movePlain(source, target);
  } catch (error) {
    // A folder below may be a mount of its own.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    copyPlain(source, target);
  }
}

function sameContent(source: string, ours: BigIntStats, target: string, theirs: BigIntStats): boolean {
  if (ours.isSymbolicLink() && theirs.isSymbolicLink())
    return atPlain(source, readlinkEntry) === atPlain(target, readlinkEntry);
  if (!ours.isFile() || !theirs.isFile() || ours.size !== theirs.size) return false;
  const fds = [openPlainFile(source), openPlainFile(target)] as const;
  try {
    return sameBytes(...fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function sameBytes(one: number, other: number): boolean {
  const [a, b] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
  for (;;) {
    const [n, m] = [readSync(one, a), readSync(other, b)];
    if (!a.subarray(0, n).equals(b.subarray(0, m))) return false;
    if (n === 0) return true;
  }
}

function lstat(path: string): BigIntStats | undefined {
  return atPlain(path, lstatEntry);
}
