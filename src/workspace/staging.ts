import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
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

const PATIENCE_MS = 20_000;

/** The name of the directory inside a workspace. */
export const STAGING_NAME = '.envbuilder-clone';

/**
 * Opens the staging directory of a workspace, for one process at a time.
 * A process of git that a killed start left gets some time to notice that nobody listens any more.
 * @throws AppError WORKSPACE when another process is cloning into the same folder; the reason of the signal
 */
export async function openStaging(
  folder: string,
  sys: Pick<Syscalls, 'tryLock'>,
  signal: AbortSignal,
): Promise<Staging> {
  const path = join(folder, STAGING_NAME);
  const mark = join(path, 'complete');
  const fd = await lockDirectory(path, sys, signal);
  if (fd === undefined) {
    throw new AppError('WORKSPACE', `another process is cloning into ${folder}`, {
      hint: 'wait for it, or give each container a workspace folder of its own',
      where: { path: folder },
    });
  }
  return {
    tree: join(path, 'tree'),
    lock: fd,
    isComplete: (key) => existsSync(mark) && readFileSync(mark, 'utf8') === key,
    markComplete: (key) => writeFileSync(mark, key),
    clear: () => {
      makeDirectories(path, 0o700);
      rmSync(mark, { force: true });
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
    },
    close: () => {
      rmSync(path, { recursive: true, force: true });
      closeSync(fd);
    },
  };
}

async function lockDirectory(
  path: string,
  sys: Pick<Syscalls, 'tryLock'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(100)) {
    signal.throwIfAborted();
    // Whoever held it may have removed it.
    makeDirectories(path, 0o700);
    const fd = openSync(path, 'r');
    const isThere = (): boolean => statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
    if (sys.tryLock(fd) && isThere()) return fd;
    closeSync(fd);
    if (performance.now() > end) return undefined;
  }
}
