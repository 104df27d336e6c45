import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { chmodEntry, lstatEntry, unlinkEntry } from '../sys/entry.ts';
import {
  atPlain,
  isThere,
  makePlainDirectory,
  namesPlain,
  openPlainDirectory,
  readPlainFile,
  realPathOf,
  removePlain,
  statPlain,
  writePlain,
} from '../sys/plain.ts';
import type { Syscalls } from '../sys/types.ts';

/**
 * Where a clone is made before it becomes the workspace: a directory inside of it, so that moving is renaming. While it is
 * there, the workspace is not yet a clone.
 */
export interface Staging {
  /** Where to clone to; its parent exists. */
  readonly tree: string;
  /** The descriptor whose lock keeps others out, for as long as any process holds it. */
  readonly lock: number;
  /** Whether an earlier start finished the clone for `key`, and was ended while it moved it. */
  isComplete(key: string): boolean;
  markComplete(key: string): void;
  /** Removes what is in it. */
  clear(): void;
  /** Removes it, and lets others have their turn. */
  close(): void;
}

/** Bytes of a URL with a reference. */
const LONGEST_MARK = 64 * 1024;
const PATIENCE_MS = 20_000;

/** How the names of clones in the directory begin. */
const TREE = 'tree';

/** The name of the directory inside a workspace. */
export const STAGING_NAME = '.envbuilder-clone';

/**
 * Opens the staging directory of a workspace, for one process at a time.
 * A process of git that a killed start left gets some time to notice that nobody listens any more.
 * @throws AppError WORKSPACE when another process is cloning into the same folder; the reason of the signal
 */
export async function openStaging(
  folder: string,
  sys: Pick<Syscalls, 'tryLock' | 'spreadDirectories'>,
  signal: AbortSignal,
): Promise<Staging> {
  makeDirectories(folder);
  const path = join(realPathOf(folder), STAGING_NAME);
  const mark = join(path, 'complete');
  const fd = await lockDirectory(path, sys, signal);
  if (fd === undefined) {
    throw new AppError('WORKSPACE', `another process is cloning into ${folder}`, {
      hint: 'wait for it, or give each container a workspace folder of its own',
      where: { path: folder },
    });
  }
  // A new name is a new place on ext4, where no clone was deleted in the last minutes.
  sys.spreadDirectories(`/proc/self/fd/${fd}`);
  const name = namesPlain(path).find((one) => one.startsWith(TREE)) ?? TREE + randomBytes(6).toString('hex');
  return {
    tree: join(path, name),
    lock: fd,
    isComplete: (key) => isThere(mark) && readPlainFile(mark, LONGEST_MARK).toString('utf8') === key,
    markComplete: (key) => writePlain(mark, key),
    clear: () => {
      makeOwn(path);
      removePlain(mark);
      for (const one of namesPlain(path)) removePlain(join(path, one));
    },
    close: () => {
      removePlain(path);
      closeSync(fd);
    },
  };
}

/** The workspace may hold anything under this name, a link to another directory too; all of it is ours to remove. */
function makeOwn(path: string): void {
  atPlain(path, (entry) => {
    if (lstatEntry(entry)?.isDirectory() === false) unlinkEntry(entry);
  });
  makePlainDirectory(path);
  atPlain(path, (entry) => chmodEntry(entry, 0o700));
}

async function lockDirectory(
  path: string,
  sys: Pick<Syscalls, 'tryLock'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(100)) {
    signal.throwIfAborted();
    // Whoever held it may have removed it.
    makeOwn(path);
    const fd = openPlainDirectory(path);
    const isSame = (): boolean => statPlain(path)?.ino === fstatSync(fd).ino;
    if (sys.tryLock(fd) && isSame()) return fd;
    closeSync(fd);
    if (performance.now() > end) return undefined;
  }
}
