import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../core/error.ts';
import type { Syscalls } from '../sys/types.ts';

/**
 * Where a clone is made before it becomes the workspace: a directory inside of it, so that moving is renaming. While it is
 * there, the workspace is not yet a clone.
 */
export interface Staging {
  /** Where to clone to; its parent exists. */
  readonly tree: string;
  /** Whether an earlier start finished the clone for `key`, and was ended while it moved it. */
  isComplete(key: string): boolean;
  markComplete(key: string): void;
  /** Removes what is in it. */
  clear(): void;
  /** Removes it, and lets others have their turn. */
  close(): void;
}

/** The name of the directory inside a workspace. */
export const STAGING_NAME = '.envbuilder-clone';

/**
 * Opens the staging directory of a workspace, for one process at a time.
 * @throws AppError WORKSPACE when another process is cloning into the same folder
 */
export function openStaging(folder: string, sys: Pick<Syscalls, 'tryLock'>): Staging {
  const path = join(folder, STAGING_NAME);
  const mark = join(path, 'complete');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'r');
  if (!sys.tryLock(fd)) {
    closeSync(fd);
    throw new AppError('WORKSPACE', `another process is cloning into ${folder}`, {
      hint: 'wait for it, or give each container a workspace folder of its own',
      where: { path: folder },
    });
  }
  return {
    tree: join(path, 'tree'),
    isComplete: (key) => existsSync(mark) && readFileSync(mark, 'utf8') === key,
    markComplete: (key) => writeFileSync(mark, key),
    clear: () => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      rmSync(mark, { force: true });
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
    },
    close: () => {
      rmSync(path, { recursive: true, force: true });
      closeSync(fd);
    },
  };
}
