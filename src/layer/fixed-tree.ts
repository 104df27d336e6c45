import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../core/error.ts';
import { EMPTY_FILE } from '../tar/empty-file.ts';
import type { LayerEntry } from '../tar/types.ts';

const CHUNK = 1024 * 1024;

/** A file of a tree whose layer is known beforehand. */
export interface FixedFile {
  /** Below the tree's directory; '' for the directory itself. */
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink';
  readonly mode: number;
  readonly size: number;
  /** Of a symlink, else ''. */
  readonly linkname: string;
}

/** All files below a directory, in the order in which a layer has them. */
export function listTree(dir: string): FixedFile[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return ['', ...names].sort().map((path) => {
    const stat = lstatSync(join(dir, path));
    const mode = stat.mode & 0o7777;
    if (stat.isDirectory()) return { path, type: 'dir', mode, size: 0, linkname: '' };
    if (stat.isSymbolicLink())
      return { path, type: 'symlink', mode, size: 0, linkname: readlinkSync(join(dir, path)) };
    return { path, type: 'file', mode, size: stat.size, linkname: '' };
  });
}

/**
 * Adds files of a directory to a layer, owned by root and without times, so that the layer depends on nothing but them.
 * @param name the directory's path in the layer
 * @param signal ends it between two pieces of a file
 * @throws AppError CONTEXT when a file is not there any more, or has another size
 */
export async function addTree(
  add: (entry: LayerEntry, content?: AsyncIterable<Buffer>) => Promise<void>,
  dir: string,
  name: string,
  files: readonly FixedFile[],
  signal?: AbortSignal,
): Promise<void> {
  for (const file of files) {
    signal?.throwIfAborted();
    const entry = fixedEntry(pathIn(name, file), file);
    await add(entry, file.size === 0 ? undefined : contentOf(join(dir, file.path), signal));
  }
}

function pathIn(name: string, { path }: FixedFile): string {
  return path === '' ? name : `${name}/${path}`;
}

/** An entry owned by root and without a time. */
export function fixedEntry(path: string, file: Omit<FixedFile, 'path'>): LayerEntry {
  const { type, mode, size, linkname } = file;
  return { ...EMPTY_FILE, path, type, mode, size, linkname };
}

async function* contentOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new AppError('CONTEXT', `cannot read ${path}`, { where: { path }, cause });
  }
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      yield buffer.subarray(0, count);
      // Others have their turn: a large file would keep the thread to itself.
      await setImmediate();
      signal?.throwIfAborted();
    }
  } finally {
    closeSync(fd);
  }
}
