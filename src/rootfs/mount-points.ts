import { closeSync, constants, fstatSync, utimesSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../core/error.ts';
import { type BeneathDirectory, createBeneath, type OpenBeneath, withBeneath } from '../sys/beneath.ts';
import { rmdirEntry, unlinkEntry } from '../sys/entry.ts';
import { withMountSource } from '../sys/mount-source.ts';
import type { RunMount, RunSpec, Syscalls } from '../sys/types.ts';
import { makeDirectory } from './make-directory.ts';

/** Mounts whose targets exist and are free of symlinks, and how to undo what was made for them. */
export interface PreparedMounts {
  readonly mounts: readonly RunMount[];
  /** Removes what was made for the mounts, unless the RUN put something into it. */
  undo(): void;
}

const STANDARD = ['/proc', '/dev', '/sys'];

interface Stub {
  /** Inside the root, without links. */
  readonly path: string;
  readonly directory: boolean;
  readonly parentTimes: Times;
}

type Times = readonly [accessed: number, modified: number];

/**
 * Makes the mount points of a RUN in its root where they are missing: /proc, /dev and /sys, which stay, as under Docker,
 * and the targets of its mounts. Those are removed again after the RUN, and so they never enter a layer. The times of their
 * parents are as they were, each time. Mount points below other mounts are left to whoever mounts. A working directory that
 * is missing is made for the user of the RUN and stays, where it is no mount point. Links lead nowhere but into the root,
 * those that the RUN made in the meantime too.
 * @throws AppError BUILD_FAILED where something else is in the way
 */
export function prepareMountPoints(
  root: string,
  spec: Pick<RunSpec, 'mounts' | 'cwd' | 'uid' | 'gid'>,
  syscalls?: Pick<Syscalls, 'openat2'>,
): PreparedMounts {
  const openBeneath = createBeneath(syscalls);
  const stubs: Stub[] = [];
  const prepared = withBeneath(openBeneath, root, (within) => prepare(openBeneath, within, spec, stubs));
  return {
    mounts: prepared,
    undo: () =>
      withBeneath(openBeneath, root, (within) => {
        for (const stub of stubs.toReversed()) remove(within, stub);
      }),
  };
}

function prepare(
  openBeneath: OpenBeneath,
  root: BeneathDirectory,
  spec: Pick<RunSpec, 'mounts' | 'cwd' | 'uid' | 'gid'>,
  stubs: Stub[],
): RunMount[] {
  const { mounts } = spec;
  const make = (path: string, directory: boolean): void => {
    const parent = posix.dirname(path);
    if (!root.stat(parent)) make(parent, true);
    const times = timesOf(root, parent);
    stubs.push({ path, directory, parentTimes: times });
    if (directory) root.makeDirectory(path, { links: 'none' });
    else root.writeFile(path, '', { links: 'none' });
    setTimes(root, parent, times);
  };
  const times = timesOf(root, '/');
  const missing = STANDARD.filter((path) => !root.stat(path));
  for (const path of missing) root.makeDirectory(path);
  if (missing.length > 0) setTimes(root, '/', times);
  const targets = mounts.map(({ target }) => `/${root.realPath(target)}`);
  for (const made of makeWorkdir(root, spec))
    if (targets.some((target) => `${target}/`.startsWith(`${made.path}/`))) stubs.push(made);
  const covered = ['/dev'];
  return mounts.map((mount) => {
    const target = `/${root.realPath(mount.target)}`;
    const below = covered.some((above) => target.startsWith(`${above}/`));
    covered.push(target);
    if (below) return { ...mount, target };
    const directory =
      mount.type === 'tmpfs' || withMountSource(openBeneath, mount, (fd) => fstatSync(fd).isDirectory());
    const existing = root.lstat(target);
    if (!existing) make(target, directory);
    else if (existing.isDirectory() !== directory) {
      const [is, needs] = directory ? ['a file', 'a directory'] : ['a directory', 'a file'];
      throw new AppError(
        'BUILD_FAILED',
        `cannot mount on ${mount.target}: it is ${is}, and the mount is ${needs}`,
      );
    }
    // As runc does, which gives one that it makes the mode of /tmp.
    if (existing && mount.type === 'tmpfs') return { mode: Number(existing.mode) & 0o7777, ...mount, target };
    return { ...mount, target };
  });
}

/** Makes the working directory of a RUN for its user. @returns what was made, to be removed where that is for a mount */
function makeWorkdir(
  root: BeneathDirectory,
  { cwd, uid, gid }: Pick<RunSpec, 'cwd' | 'uid' | 'gid'>,
): Stub[] {
  let above = `/${root.realPath(cwd)}`;
  while (!root.stat(above)) above = posix.dirname(above);
  const before = timesOf(root, above);
  return makeDirectory(root, cwd, { uid, gid }).map((path, at) => ({
    path: `/${path}`,
    directory: true,
    parentTimes: at === 0 ? before : timesOf(root, posix.dirname(path)),
  }));
}

/** The RUN may have put a link in the place of any directory on the way. */
function remove(root: BeneathDirectory, { path, directory, parentTimes }: Stub): void {
  const links = 'none';
  try {
    if (!directory && root.lstat(path, { links })?.size !== 0n) return;
    root.at(path, directory ? rmdirEntry : unlinkEntry, { links });
    setTimes(root, posix.dirname(path), parentTimes);
  } catch (error) {
    // Filled, removed or replaced by the RUN itself: then it is the RUN's.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EXDEV'].includes(code)) throw error;
  }
}

function timesOf(root: BeneathDirectory, path: string): Times {
  const { atimeMs, mtimeMs } = root.stat(path)!;
  return [Number(atimeMs) / 1000, Number(mtimeMs) / 1000];
}

function setTimes(root: BeneathDirectory, path: string, times: Times): void {
  const directory = root.open(path, constants.O_RDONLY | constants.O_DIRECTORY, { links: 'none' });
  try {
    utimesSync(`/proc/self/fd/${directory}`, ...times);
  } finally {
    closeSync(directory);
  }
}
