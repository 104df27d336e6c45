import {
  chmodSync,
  chownSync,
  copyFileSync,
  constants as fs,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../../core/error.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { createBeneath } from '../../sys/beneath.ts';
import { copyPlain } from '../../sys/copy-plain.ts';
import { mountSourcePath } from '../../sys/mount-source.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { RunMount } from '../../sys/types.ts';
import { resolveInRoot } from '../resolve-in-root.ts';
import type { FactsDeps } from '../trees/directory-facts.ts';
import type { Journal } from './journal.ts';
import { clearDirectory, moveIn, moveOut } from './move.ts';
import { NETWORK_FILES } from './network-files.ts';
import { type Pins, pinOf } from './pins.ts';

export interface PlaceDeps extends FactsDeps {
  readonly pins: Pins;
  /** An empty directory on the file system of the root, for what a mount covers. */
  readonly aside: string;
  readonly journal: Journal;
  /** The RUN's working directory, which may be missing below a mount or where only the user's things are; then it is there for the RUN alone. */
  readonly cwd: string;
}

const SHARED_TMP_MODE = 0o1777;

/**
 * Puts the content of a RUN's mounts where a mount would show it, without the right to mount: directories are moved there
 * and back, files are copied, and what cannot be is a symlink. What lies there already is put aside meanwhile. A read-only
 * mount can be written to, but nothing of that is kept.
 * @returns what puts everything back as it was, in one go
 * @throws AppError BUILD_FAILED where a mount or an ignored path is in the way; nothing is left then
 */
export function placeMounts(mounts: readonly RunMount[], deps: PlaceDeps): () => void {
  const undo: (() => void)[] = [];
  const [placed, moved] = [new Set<string>(), new Map<string, string>()];
  const restore = (): void => {
    for (const step of undo.splice(0).toReversed()) step();
    deps.journal.clear();
  };
  try {
    for (const [index, mount] of mounts.entries())
      placeOne(mount, posix.join(deps.aside, String(index)), { undo, placed, moved }, deps);
    const cwd = resolveInRoot('/', deps.cwd, { followLast: true });
    // Else it is only missing in the place of a mount that covers it.
    makeParents(cwd, undo, pinOf(deps.pins, cwd).kept ? deps.journal : undefined);
  } catch (error) {
    restore();
    throw error;
  }
  return restore;
}

interface Placing {
  readonly undo: (() => void)[];
  /** Where mounts are already: what is there may be a symlink of ours, which a mount at the same place is not to follow. */
  readonly placed: Set<string>;
  /** Where directories are that are shown by being there: a cache may be mounted twice. */
  readonly moved: Map<string, string>;
}

function placeOne(mount: RunMount, aside: string, placing: Placing, deps: PlaceDeps): void {
  const { undo, placed, moved } = placing;
  const named = resolveInRoot('/', mount.target, { followLast: false });
  const target = placed.has(named) ? named : resolveInRoot('/', mount.target, { followLast: true });
  placed.add(target);
  if (moved.get(sourceOf(mount)) === target) return;
  const { kept, pin } = pinOf(deps.pins, target);
  const existing = lstatSync(fsPath(target), { throwIfNoEntry: false });
  if (kept && existing) {
    if (NETWORK_FILES.includes(mount.target)) return;
    // Whatever is mounted there can be written and is in no layer, which is all that a tmpfs is for.
    if (mount.type === 'tmpfs' && existing.isDirectory()) return;
    throw inTheWay(mount.target);
  }
  if (pin && !kept) {
    if (mount.type !== 'tmpfs') throw inTheWay(mount.target);
    return emptyAround(target, pin, aside, undo, deps);
  }
  makeParents(posix.dirname(target), undo, kept ? deps.journal : undefined);
  keepTimes(posix.dirname(target), undo, () => {
    if (existing) {
      renameSync(fsPath(target), aside);
      undo.push(() => renameSync(aside, fsPath(target)));
    }
    if (kept) deps.journal.made(target);
    put(mount, target, placing, deps);
  });
}

function sourceOf(mount: RunMount): string {
  return mount.type === 'bind' ? JSON.stringify([mount.within, mount.source]) : '';
}

/** Runs `change` in a directory, and later what it gave to undo, with the directory's times as they were each time. */
function keepTimes(directory: string, undo: (() => void)[], change: () => void): void {
  const path = fsPath(directory);
  const steady = (work: () => void): void => {
    const { atimeMs, mtimeMs } = statSync(path);
    work();
    utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
  };
  const first = undo.length;
  try {
    steady(change);
  } finally {
    const steps = undo.splice(first);
    undo.push(() =>
      steady(() => {
        for (const step of steps.toReversed()) step();
      }),
    );
  }
}

function makeParents(directory: string, undo: (() => void)[], journal: Journal | undefined): void {
  if (lstatSync(fsPath(directory), { throwIfNoEntry: false })) return;
  makeParents(posix.dirname(directory), undo, journal);
  journal?.made(directory);
  mkdirSync(fsPath(directory), 0o755);
  undo.push(() => {
    try {
      rmdirSync(fsPath(directory));
    } catch {
      // The RUN put something into it, or removed it.
    }
  });
}

function put(mount: RunMount, target: string, { undo, moved }: Placing, deps: PlaceDeps): void {
  const path = fsPath(target);
  const { dev } = lstatSync(fsPath(posix.dirname(target)));
  const remove = (): void => void removeTree(target, { dev });
  if (mount.type === 'tmpfs') {
    mkdirSync(path);
    undo.push(remove);
    return chmodSync(path, mount.mode ?? SHARED_TMP_MODE);
  }
  const elsewhere = moved.get(sourceOf(mount));
  if (elsewhere !== undefined) {
    undo.push(remove);
    return symlinkSync(fsPath(elsewhere), path);
  }
  const source = mountSourcePath(createBeneath(), mount);
  const stat = lstatSync(fsPath(source));
  if (!stat.isDirectory()) {
    undo.push(remove);
    // What is on another file system, a secret in memory, stays there; a socket cannot be copied.
    // The number of a directory: files of an overlay may carry that of a layer.
    const isElsewhere = statSync(fsPath(posix.dirname(source))).dev !== dev;
    if (!stat.isFile() || isElsewhere) return symlinkSync(fsPath(source), path);
    copyFileSync(fsPath(source), path, fs.COPYFILE_EXCL | fs.COPYFILE_FICLONE);
    chownSync(path, stat.uid, stat.gid);
    chmodSync(path, stat.mode & 0o7777);
    return utimesSync(path, stat.atimeMs / 1000, stat.mtimeMs / 1000);
  }
  if (moveThere(source, target, deps)) {
    moved.set(sourceOf(mount), target);
    undo.push(() => moveHome(target, source, dev));
    return;
  }
  undo.push(remove);
  if (mount.readonly) copyPlain(source, target);
  else symlinkSync(fsPath(source), path);
}

/** False where another mount is in between. */
function moveThere(source: string, target: string, { journal }: PlaceDeps): boolean {
  journal.moved(target, source);
  try {
    renameSync(fsPath(source), fsPath(target));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    return false;
  }
}

/** A RUN that deleted the directory itself, which it could not do to a mount, left an empty one. */
function moveHome(target: string, source: string, dev: number): void {
  if (lstatSync(fsPath(target), { throwIfNoEntry: false })?.isDirectory())
    return renameSync(fsPath(target), fsPath(source));
  removeTree(target, { dev });
  mkdirSync(fsPath(source), 0o755);
}

/** An empty directory in which mounts and ignored paths stay. */
function emptyAround(target: string, pins: Pins, aside: string, undo: (() => void)[], deps: PlaceDeps): void {
  mkdirSync(aside);
  moveOut({ from: target, to: aside, pins, prefix: '' }, new Map(), () => undefined, deps);
  undo.push(() => {
    clearDirectory(target, pins);
    moveIn({ from: aside, to: target, pins, prefix: '' }, new Map(), new Map(), deps);
    removeTree(aside, { dev: lstatSync(aside).dev });
  });
}

function inTheWay(target: string): AppError {
  return new AppError(
    'BUILD_FAILED',
    `RUN --mount cannot be shown at ${target}: a mount or an ignored path of this container is there`,
    { hint: 'without CAP_SYS_ADMIN a mount is emulated; choose another target, or build on a host' },
  );
}
