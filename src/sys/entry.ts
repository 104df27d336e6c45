/*
 * Calls for an entry of an open directory. Its text leads through the descriptor of that directory, and none of these calls
 * follows a link in the place of the entry, so that they reach the entry and nothing else.
 */
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { O_PATH, pathError } from './descriptor.ts';

declare const mark: unique symbol;

/** Names an entry of an open directory, for as long as that is open. It may be handed to system calls that follow no link. */
export type EntryName = string & { readonly [mark]: true };

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** @param fd a descriptor of the directory @param name without a slash */
export function entryIn(fd: number, name: string): EntryName {
  return `/proc/self/fd/${fd}/${name}` as EntryName;
}

/** What is there, a link as a link; undefined where nothing is. */
export function lstatEntry(entry: EntryName): BigIntStats | undefined {
  return lstatSync(fsPath(entry), { bigint: true, throwIfNoEntry: false });
}

/** The text of a link. */
export function readlinkEntry(entry: EntryName): string {
  return decodePath(readlinkSync(fsPath(entry), { encoding: 'buffer' }));
}

/** Makes a directory. @throws Error EEXIST for whatever is there */
export function mkdirEntry(entry: EntryName, mode = 0o777): void {
  mkdirSync(fsPath(entry), { mode });
}

/** Makes a link with this text. @throws Error EEXIST */
export function symlinkEntry(text: string, entry: EntryName): void {
  symlinkSync(fsPath(text), fsPath(entry));
}

/** Gives what is at `first`, a link itself, another name. @throws Error EEXIST */
export function linkEntry(first: EntryName, entry: EntryName): void {
  linkSync(fsPath(first), fsPath(entry));
}

/** Makes a file. @returns a descriptor to write to @throws Error EEXIST for whatever is there */
export function createEntry(entry: EntryName, mode = 0o600): number {
  return openSync(fsPath(entry), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

/** Removes what is no directory. @returns whether anything was there @throws Error EISDIR for a directory */
export function unlinkEntry(entry: EntryName): boolean {
  try {
    unlinkSync(fsPath(entry));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes an empty directory. */
export function rmdirEntry(entry: EntryName): void {
  rmdirSync(fsPath(entry));
}

/** Moves an entry, over an old one as rename(2) does. */
export function renameEntry(from: EntryName, to: EntryName): void {
  renameSync(fsPath(from), fsPath(to));
}

/** Gives it, a link itself, to an owner. */
export function lchownEntry(entry: EntryName, uid: number, gid: number): void {
  lchownSync(fsPath(entry), uid, gid);
}

/** As chmod(2), which alone would follow a link. @throws Error ELOOP for a link */
export function chmodEntry(entry: EntryName, mode: number): void {
  const fd = openSync(fsPath(entry), O_PATH | O_NOFOLLOW);
  try {
    if (fstatSync(fd).isSymbolicLink()) throw pathError('ELOOP', entry);
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
}
