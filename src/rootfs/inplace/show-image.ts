import {
  chmodSync,
  closeSync,
  copyFileSync,
  constants as fs,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { posix } from 'node:path';
import { listNames } from '../../core/list-names.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { splitTime } from '../../sys/file-stat.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { ForeignPlace } from './foreign-places.ts';
import { lookAt } from './look-at.ts';
import { NETWORK_FILES } from './network-files.ts';

/** In a foreign place, while a RUN runs: what of it the image's files are shown instead of, and a list of all that we made. */
export const SAVED = '.envbuilder-saved';

export interface ShowDeps {
  readonly syscalls: Pick<Syscalls, 'lutimes' | 'listXattrs' | 'getXattr' | 'setXattr' | 'tryLock'>;
  /** Where what the image has at a path lies now; it may not be there. */
  readonly imageAt: (path: string) => string;
  readonly sameContent: (a: string, b: string) => boolean;
  /** Paths into which nothing is put. */
  readonly skip: ReadonlySet<string>;
}

/** The image's files in foreign places, for as long as a RUN runs. */
export interface ShownImage {
  /** What the image has and the RUN cannot see, for each place where there is such a path one of them. */
  readonly hidden: readonly { readonly place: ForeignPlace; readonly path: string }[];
  /** Directories of foreign places in which anything was put there or taken away so far. */
  readonly touched: ReadonlySet<string>;
  /** Whether the RUN sees at a path of a foreign place what the image has there. */
  isImage(path: string): boolean;
  /**
   * Takes away what is as it was put there, and puts back what was there before. What the RUN changed the image gets too, and
   * it stays in the place where nothing else was.
   */
  remove(): void;
}

/** What was put into a foreign place. */
interface Put {
  readonly path: string;
  readonly source: string;
  /** Where that lies which was there before. */
  readonly saved: string | undefined;
  readonly directory: boolean;
  readonly times: { readonly mtimeMs: number; readonly ctimeMs: number; readonly ino: number };
}

/** A line of the list. */
type Line =
  | { readonly saved: string; readonly path: string }
  | { readonly made: string; readonly size: number; readonly mtimeMs: number };

/** What makes a place one that cannot be written to. */
const REFUSED = [
  'EROFS',
  'EEXIST',
  'EACCES',
  'EPERM',
  'ENOSPC',
  'EDQUOT',
  'EOPNOTSUPP',
  'EINVAL',
  'ENAMETOOLONG',
  'ELOOP',
  'EIO',
];

/**
 * Puts what the image has at foreign places into them, so that a RUN sees what COPY and earlier steps wrote there, whatever is
 * mounted. What is there already and is not the same is put aside meanwhile.
 */
export function showImage(places: readonly ForeignPlace[], deps: ShowDeps): ShownImage {
  const hidden: { place: ForeignPlace; path: string }[] = [];
  const shown = new Set<string>();
  const touched = new Set<string>();
  const finish: (() => void)[] = [];
  const stops = new Set([...deps.skip, ...places.map(({ path }) => path)]);
  for (const place of places) {
    if (deps.skip.has(place.path) || NETWORK_FILES.includes(place.path)) continue;
    const source = deps.imageAt(place.path);
    const stat = lookAt(source);
    if (!stat || source === place.path) continue;
    if (!place.directory || !stat.isDirectory()) {
      // What is empty was made for a mount when the image was built.
      if (!isContent(stat) || stat.size === 0) continue;
      if (deps.sameContent(source, place.path)) shown.add(place.path);
      else hidden.push({ place, path: place.path });
      continue;
    }
    // Another container is at work there, and takes away what it needs itself.
    if (lookAt(posix.join(place.path, SAVED))) {
      hidden.push({ place, path: place.path });
      continue;
    }
    const list = createList(place.path, deps);
    finish.push(() => list.remove(touched));
    const refused = put(source, place.path, { list, stops, deps, shown, touched });
    if (refused !== undefined) hidden.push({ place, path: refused });
  }
  return {
    hidden,
    touched,
    isImage: (path) => shown.has(path),
    remove: () => {
      for (const step of finish.splice(0).toReversed()) step();
    },
  };
}

/** Puts right what a process that was killed has left in a place; not while another container works there. */
export function recoverPlace(place: ForeignPlace, syscalls: Pick<Syscalls, 'tryLock'>): void {
  if (!place.directory || !place.writable) return;
  const dir = posix.join(place.path, SAVED);
  if (!lookAt(dir)?.isDirectory()) return;
  const list = posix.join(dir, 'list');
  let fd: number | undefined;
  try {
    fd = openSync(fsPath(list), 'a', 0o600);
    if (!syscalls.tryLock(fd)) return;
    const lines = readFileSync(fsPath(list), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'));
    for (const line of lines.toReversed()) undo(place.path, JSON.parse(line) as Line);
    unlinkSync(fsPath(list));
    rmdirSync(fsPath(dir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    // What cannot be put right stays there, under a name that says whose it is.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function undo(root: string, line: Line): void {
  if ('made' in line) {
    const path = posix.join(root, line.made);
    const stat = lookAt(path);
    if (stat?.isDirectory()) removeIfEmpty(path);
    // Whatever is another file by now belongs to somebody.
    else if (stat && stat.size === line.size && stat.mtimeMs === line.mtimeMs) unlinkSync(fsPath(path));
    return;
  }
  const [saved, path] = [posix.join(root, line.saved), posix.join(root, line.path)];
  if (lookAt(saved) && !lookAt(path)) renameSync(fsPath(saved), fsPath(path));
}

interface PutContext {
  readonly list: PlaceList;
  /** Where nothing is put: paths to skip, and places of their own. */
  readonly stops: ReadonlySet<string>;
  readonly deps: ShowDeps;
  readonly shown: Set<string>;
  readonly touched: Set<string>;
}

/** @returns a path that could not be put there, if any */
function put(source: string, target: string, context: PutContext): string | undefined {
  let refused: string | undefined;
  for (const name of listNames(source)) {
    const [from, to] = [`${source}/${name}`, posix.join(target, name)];
    if (context.stops.has(to) || name === SAVED) continue;
    const stat = lstatSync(fsPath(from));
    if (!stat.isDirectory() && !isContent(stat)) continue;
    const there = lookAt(to);
    if (stat.isDirectory() && there?.isDirectory()) {
      refused = put(from, to, context) ?? refused;
      continue;
    }
    if (there && isContent(stat) && context.deps.sameContent(from, to)) {
      context.shown.add(to);
      continue;
    }
    refused = putNew(from, to, there !== undefined, context) ?? refused;
  }
  return refused;
}

function putNew(from: string, to: string, replaces: boolean, context: PutContext): string | undefined {
  const { list, deps, shown, touched } = context;
  touched.add(posix.dirname(to));
  try {
    list.add(to, replaces, (record) => copyTree(from, to, { deps, record, shown, touched }));
    return undefined;
  } catch (error) {
    if (!REFUSED.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return to;
  }
}

interface CopyContext extends Pick<PutContext, 'deps' | 'shown' | 'touched'> {
  readonly record: (from: string, to: string, stat: Stats) => void;
}

function copyTree(from: string, to: string, context: CopyContext): void {
  const stat = lstatSync(fsPath(from));
  if (!stat.isDirectory() && !isContent(stat)) return;
  context.record(from, to, stat);
  const path = fsPath(to);
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(fsPath(from), { encoding: 'buffer' }), path);
  else if (stat.isFile()) copyFileSync(fsPath(from), path, fs.COPYFILE_EXCL | fs.COPYFILE_FICLONE);
  else {
    mkdirSync(path);
    context.touched.add(to);
    for (const name of listNames(from)) copyTree(`${from}/${name}`, `${to}/${name}`, context);
  }
  copyFacts(from, to, stat, context.deps);
  context.shown.add(to);
}

/** Gives a copy owner, mode, attributes and times; a file system without owners has none to give. */
function copyFacts(from: string, to: string, stat: Stats, { syscalls }: Pick<ShowDeps, 'syscalls'>): void {
  tolerating(['EPERM', 'EINVAL'], () => lchownSync(fsPath(to), stat.uid, stat.gid));
  if (!stat.isSymbolicLink()) {
    tolerating(['EPERM'], () => chmodSync(fsPath(to), stat.mode & 0o7777));
    tolerating(['EPERM', 'EOPNOTSUPP'], () => {
      for (const name of syscalls.listXattrs(from)) {
        const value = syscalls.getXattr(from, name);
        if (value && (name === 'security.capability' || name.startsWith('user.')))
          syscalls.setXattr(to, name, value);
      }
    });
  }
  const { mtimeNs } = lstatSync(fsPath(from), { bigint: true });
  const { seconds, nanoseconds } = splitTime(mtimeNs);
  syscalls.lutimes(to, Number(seconds), Number(nanoseconds));
}

interface PlaceList {
  /** Notes what is about to be made, puts aside what it replaces, and has it made. */
  add(path: string, replaces: boolean, make: (record: CopyContext['record']) => void): void;
  remove(touched: Set<string>): void;
}

/** The list of what we made in a place. It lies in the place: whoever sees that next puts right what we could not. */
function createList(root: string, deps: ShowDeps): PlaceList {
  const dir = posix.join(root, SAVED);
  const file = posix.join(dir, 'list');
  const puts: Put[] = [];
  const parents = new Map<string, Stats>();
  let fd: number | undefined;
  let count = 0;

  const open = (): void => {
    if (fd !== undefined) return;
    keep(root);
    mkdirSync(fsPath(dir), { mode: 0o700 });
    fd = openSync(fsPath(file), 'ax', 0o600);
    deps.syscalls.tryLock(fd);
  };
  const note = (line: Line): void => void writeSync(fd!, `${JSON.stringify(line)}\n`);
  /** A directory's times are those of before we put anything there. */
  const keep = (directory: string): void => {
    if (!parents.has(directory)) parents.set(directory, lstatSync(fsPath(directory)));
  };

  return {
    add: (path, replaces, make) => {
      open();
      keep(posix.dirname(path));
      let saved: string | undefined;
      if (replaces) {
        count += 1;
        saved = posix.join(dir, String(count));
        note({ saved: posix.relative(root, saved), path: posix.relative(root, path) });
        renameSync(fsPath(path), fsPath(saved));
      }
      const made: { from: string; to: string; directory: boolean }[] = [];
      try {
        make((from, to, stat) => {
          const { size, mtimeMs } = stat;
          note({ made: posix.relative(root, to), size, mtimeMs });
          made.push({ from, to, directory: stat.isDirectory() });
        });
      } catch (error) {
        const half = lookAt(path);
        if (half) removeTree(path, { dev: half.dev });
        if (saved !== undefined) renameSync(fsPath(saved), fsPath(path));
        throw error;
      }
      for (const { from, to, directory } of made) {
        const { mtimeMs, ctimeMs, ino } = lstatSync(fsPath(to));
        const times = { mtimeMs, ctimeMs, ino };
        puts.push({ path: to, source: from, saved: to === path ? saved : undefined, directory, times });
      }
    },
    remove: (touched) => {
      if (fd === undefined) return;
      for (const one of puts.toReversed()) takeAway(one, deps);
      removeTree(dir);
      closeSync(fd);
      touched.add(root);
      for (const [directory, { atimeMs, mtimeMs }] of parents) {
        const now = lookAt(directory);
        if (now?.isDirectory()) utimesSync(fsPath(directory), atimeMs / 1000, mtimeMs / 1000);
      }
    },
  };
}

function takeAway({ path, source, saved, directory, times }: Put, deps: ShowDeps): void {
  const stat = lookAt(path);
  if (directory && stat?.isDirectory()) {
    // What the RUN made in it stays.
    if (stat.ctimeMs !== times.ctimeMs) copyOwner(source, stat);
    removeIfEmpty(path);
  } else if (stat && stat.ctimeMs === times.ctimeMs && stat.ino === times.ino) unlinkSync(fsPath(path));
  else {
    const { dev } = lstatSync(posix.dirname(source));
    removeTree(source, { dev });
    if (stat && (isContent(stat) || stat.isDirectory())) {
      const record = (): void => {};
      copyTree(path, source, { deps, record, shown: new Set(), touched: new Set() });
    }
  }
  if (saved === undefined) return;
  if (lookAt(path)) removeTree(path, { dev: lstatSync(fsPath(path)).dev });
  if (lookAt(saved) && lookAt(posix.dirname(path))) renameSync(fsPath(saved), fsPath(path));
}

function copyOwner(source: string, now: Stats): void {
  const then = lookAt(source);
  if (!then?.isDirectory()) return;
  if (then.uid !== now.uid || then.gid !== now.gid) lchownSync(fsPath(source), now.uid, now.gid);
  if (then.mode !== now.mode) chmodSync(fsPath(source), now.mode & 0o7777);
}

function removeIfEmpty(directory: string): void {
  tolerating(['ENOTEMPTY', 'EEXIST', 'EBUSY'], () => rmdirSync(fsPath(directory)));
}

function isContent(stat: Stats): boolean {
  return stat.isFile() || stat.isSymbolicLink();
}

function tolerating(codes: readonly string[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
