import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../core/error.ts';
import { fsPath } from '../core/path-bytes.ts';
import type { RunMount } from '../sys/types.ts';
import { resolveInRoot } from './resolve-in-root.ts';

/** Mounts whose targets exist and are free of symlinks, and how to undo what was made for them. */
export interface PreparedMounts {
  readonly mounts: readonly RunMount[];
  /** Removes what was made for the mounts, unless the RUN put something into it. */
  undo(): void;
}

const STANDARD = ['/proc', '/dev', '/sys'];

interface Stub {
  readonly path: string;
  readonly directory: boolean;
  readonly parent: string;
  readonly parentTimes: readonly [number, number];
}

/**
 * Makes the mount points of a RUN in its root where they are missing: /proc, /dev and /sys, which stay, as under Docker,
 * and the targets of its mounts. Those are removed again after the RUN, with their parents' times as they were, so they
 * never enter a layer. Mount points below other mounts are left to whoever mounts.
 */
export function prepareMountPoints(root: string, mounts: readonly RunMount[]): PreparedMounts {
  const stubs: Stub[] = [];
  const make = (path: string, directory: boolean): void => {
    const parent = posix.dirname(path);
    if (!existsSync(fsPath(parent))) make(parent, true);
    const { atimeMs, mtimeMs } = statSync(fsPath(parent));
    stubs.push({ path, directory, parent, parentTimes: [atimeMs / 1000, mtimeMs / 1000] });
    if (directory) mkdirSync(fsPath(path));
    else writeFileSync(fsPath(path), '');
    chmodSync(fsPath(path), directory ? 0o755 : 0o644);
  };
  for (const path of STANDARD) if (!existsSync(`${root}${path}`)) mkdirSync(`${root}${path}`, 0o755);
  const covered = ['/dev'];
  const prepared = mounts.map((mount) => {
    const host = resolveInRoot(root, mount.target, { followLast: true });
    const target = host.slice(root.length);
    const below = covered.some((above) => target.startsWith(`${above}/`));
    covered.push(target);
    if (below) return { ...mount, target };
    const directory = mount.type === 'tmpfs' || statSync(mount.source).isDirectory();
    const existing = lstatSync(fsPath(host), { throwIfNoEntry: false });
    if (!existing) make(host, directory);
    else if (existing.isDirectory() !== directory) {
      const [is, needs] = directory ? ['a file', 'a directory'] : ['a directory', 'a file'];
      throw new AppError(
        'BUILD_FAILED',
        `cannot mount on ${mount.target}: it is ${is}, and the mount is ${needs}`,
      );
    }
    return { ...mount, target };
  });
  return {
    mounts: prepared,
    undo: () => {
      for (const stub of stubs.toReversed()) remove(stub);
    },
  };
}

function remove({ path, directory, parent, parentTimes }: Stub): void {
  try {
    if (directory) rmdirSync(fsPath(path));
    else if (statSync(fsPath(path)).size === 0) unlinkSync(fsPath(path));
    else return;
    utimesSync(fsPath(parent), ...parentTimes);
  } catch (error) {
    // Filled or removed by the RUN itself: then it is the RUN's.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
}
