import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { posix } from 'node:path';
import { fsPath } from '../../core/path-bytes.ts';
import {
  FACT,
  FACT_WORDS,
  factsOf,
  forEachDirectory,
  forEachName,
  isDirectoryAt,
  type PathFacts,
  rowAt,
} from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';
import { waitForTick } from '../trees/table.ts';
import type { ForeignPlace } from './foreign-places.ts';

/** A foreign place in which something changed, and one path that did. */
export interface ForeignChange {
  readonly place: ForeignPlace;
  readonly path: string;
}

export interface ChangesDeps {
  readonly syscalls: Pick<Syscalls, 'listDirectory'>;
  /** A file that may be written, on a file system of this machine. */
  readonly tickFile: string;
}

/** Tells what changed in foreign places while a RUN ran. */
export interface ForeignChanges {
  /**
   * Right before the RUN.
   * @param skip paths that are not looked at, nor anything below them
   * @param touched directories that we changed ourselves since the last `after`
   */
  before(places: readonly ForeignPlace[], skip: ReadonlySet<string>, touched: Iterable<string>): void;
  /**
   * Right behind it.
   * @returns one change of each place that has any; times alone are none, and neither is what was made and is gone again
   */
  after(): ForeignChange[];
  /** What the clock of this machine said before the RUN: what changed since has at least this ctime. */
  readonly since: bigint;
}

interface Watched {
  readonly places: readonly ForeignPlace[];
  readonly skip: ReadonlySet<string>;
  /** The directories that they lie in. */
  readonly around: ReadonlySet<string>;
}

/**
 * Where this machine's clock gives the times, a path has changed when its ctime is later than the RUN's beginning, so no
 * file has to be remembered: only the names in each directory, as a hash, for what is deleted and what is gone again. They
 * are read once before the first RUN. Where a server gives the times, all that is known of each directory's files is
 * hashed, before every RUN.
 */
export function createForeignChanges({ syscalls, tickFile }: ChangesDeps): ForeignChanges {
  /** What is known of directories, by path. */
  const records = new Map<string, string>();
  const known = new Set<string>();
  let files = new Map<string, string>();
  let current: Watched | undefined;
  let since = 0n;

  const visit = (
    place: ForeignPlace,
    path: string,
    self: PathFacts,
    each: (path: string, record: () => string, rows: Uint32Array, self: PathFacts, names: Buffer) => void,
  ): void => {
    const listing = syscalls.listDirectory(path);
    const [names, rows] = [Buffer.from(listing.names), listing.rows.slice()];
    each(path, () => record(path, self, names, rows, !place.localClock), rows, self, names);
    forEachDirectory(names, rows, (name, index) => {
      const child = `${path}/${name}`;
      if (!stops(child)) ignoringGone(() => visit(place, child, rowAt(rows, index), each));
    });
  };
  const record = (path: string, self: PathFacts, names: Buffer, rows: Uint32Array, files: boolean): string =>
    recordOf(self, names, rows, { files, leftOut: leftOut(path) });
  const leftOut = (path: string): ((name: string) => boolean) | undefined =>
    current!.around.has(path) ? (name) => current!.skip.has(`${path}/${name}`) : undefined;
  const stops = (path: string): boolean =>
    current!.skip.has(path) || current!.places.some((other) => other.path === path);

  const changedIn = (place: ForeignPlace): string | undefined => {
    const stat = lstatSync(fsPath(place.path), { bigint: true, throwIfNoEntry: false });
    if (!stat) return place.path;
    const facts = factsOf(stat);
    if (!place.directory) return factsText(facts) === files.get(place.path) ? undefined : place.path;
    let found: string | undefined;
    if (!stat.isDirectory()) return place.path;
    visit(place, place.path, facts, (path, record, rows, self, names) => {
      if (place.localClock) {
        // Of an untouched directory the record holds still; what is in it may have changed.
        found ??= changedFile(path, names, rows, since);
        if (isEarlier(self, since)) return;
      }
      const now = record();
      if (records.get(path) !== now) found ??= path;
      records.set(path, now);
    });
    return found;
  };

  return {
    before: (all, skip, touched) => {
      const places = all.filter(({ path, writable }) => writable && !skip.has(path));
      current = { places, skip, around: new Set([...skip].map((path) => posix.dirname(path))) };
      files = new Map();
      for (const place of places) {
        const facts = factsOf(lstatSync(fsPath(place.path), { bigint: true }));
        if (!place.directory) files.set(place.path, factsText(facts));
        else if (!place.localClock || !known.has(place.path)) {
          visit(place, place.path, facts, (path, record) => records.set(path, record()));
          known.add(place.path);
        }
      }
      for (const path of touched) {
        if (!records.has(path)) continue;
        ignoringGone(() => {
          const { names, rows } = syscalls.listDirectory(path);
          const self = factsOf(lstatSync(fsPath(path), { bigint: true }));
          records.set(path, record(path, self, names, rows, false));
        });
      }
      since = waitForTick(tickFile);
    },
    after: () =>
      current!.places.flatMap((place) => {
        const path = changedIn(place);
        return path === undefined ? [] : [{ place, path }];
      }),
    get since() {
      return since;
    },
  };
}

/** Others, too, may change what is mounted. */
function ignoringGone(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES', 'ESTALE'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
}

function isEarlier(facts: PathFacts, time: bigint): boolean {
  return ctimeAt(facts, 0) < time;
}

function ctimeAt(rows: Uint32Array, row: number): bigint {
  const at = row * FACT_WORDS + FACT.ctime;
  return ((BigInt(rows[at + 1]!) << 32n) | BigInt(rows[at]!)) * 1_000_000_000n + BigInt(rows[at + 2]!);
}

/** The first path in a directory, other than a directory, that has changed since. */
function changedFile(directory: string, names: Buffer, rows: Uint32Array, since: bigint): string | undefined {
  const seconds = Number(since / 1_000_000_000n);
  const count = rows.length / FACT_WORDS;
  for (let row = 0; row < count; row += 1) {
    const at = row * FACT_WORDS + FACT.ctime;
    // Whole seconds first: for nearly all files they decide, without a big number.
    if (rows[at]! + rows[at + 1]! * 2 ** 32 < seconds) continue;
    if (ctimeAt(rows, row) < since || isDirectoryAt(rows, row)) continue;
    let found = directory;
    forEachName(names, (name, index) => {
      if (index === row) found = `${directory}/${name}`;
    });
    return found;
  }
  return undefined;
}

/** A directory as far as a layer would hold it, and with the identity that tells it from another one of that name. */
function recordOf(
  self: PathFacts,
  names: Buffer,
  rows: Uint32Array,
  { files, leftOut }: { readonly files: boolean; readonly leftOut: ((name: string) => boolean) | undefined },
): string {
  const hash = createHash('sha1');
  const lines: string[] = [];
  forEachName(names, (name, index) => {
    if (leftOut?.(name)) return;
    const row = rowAt(rows, index);
    const known = files && !isDirectoryAt(rows, index) ? factsText(row) : '';
    lines.push(`${name}\0${known}`);
  });
  // A directory that is changed and changed back may list its names in another order.
  for (const line of lines.sort()) hash.update(`${line}\0`);
  const { mode, uid, gid, ino } = FACT;
  return `${self[mode]} ${self[uid]} ${self[gid]} ${self[ino]} ${self[ino + 1]} ${hash.digest('base64')}`;
}

/** All that is known of a file; link counts and times of change too, as a RUN may link it into what becomes a layer. */
function factsText(facts: PathFacts): string {
  return facts.join(' ');
}
