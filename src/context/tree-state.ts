import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { encodePath, fsPath } from '../core/path-bytes.ts';
import { FACT, FACT_WORDS, forEachDirectory, forEachName, isDirectoryAt, rowAt } from '../sys/path-facts.ts';
import type { DirectoryListing, Syscalls } from '../sys/types.ts';
import type { IgnoreMatcher, MatchState } from './ignore-matcher.ts';

export interface TreeStateDeps {
  /** Host directory. */
  readonly root: string;
  /** Opens a path relative to it, through no link. */
  readonly open: (path: string, flags: number) => number;
  readonly ignore?: IgnoreMatcher;
  readonly syscalls: Pick<Syscalls, 'listDirectory'>;
}

/** Files as they are at one moment. */
export interface TreeState {
  /** Equal only while nothing that lstat tells has changed, and the order of names neither; never part of a key. */
  readonly digest: Digest;
  /** What is in each directory, by path. */
  readonly directories: ReadonlyMap<string, Listed>;
  /** The latest change of any of them, and the latest time that one has, in seconds since the epoch. */
  readonly newest: number;
}

/** What was found in a directory; without what the ignore rules leave out. */
export type Listed = Omit<DirectoryListing, 'count'>;

/** What the walk goes on with. */
interface Inside {
  readonly name: string;
  readonly state: MatchState | undefined;
}

const WORD = 2 ** 32;

/**
 * The state of some paths and of all below them, without what the ignore rules leave out. No file is opened, and nothing is
 * made for each of them.
 * @param paths relative to the root; '' is the root itself
 * @returns undefined where a path is no file or directory, is excluded, leads through a symlink or is not in its plain form
 * @throws what node:fs throws where something is missing or cannot be read
 */
export function treeState(paths: readonly string[], deps: TreeStateDeps): TreeState | undefined {
  const { root, open, ignore, syscalls } = deps;
  const hash = createHash('sha256');
  const count = Buffer.alloc(4);
  const directories = new Map<string, Listed>();
  let newest = 0;
  const saw = (seconds: number): void => {
    if (seconds > newest) newest = seconds;
  };

  /** Names and rows have to be used before the next directory is listed. */
  const addListing = (path: string, { names, rows }: Listed): void => {
    directories.set(path, { names: Buffer.from(names), rows: rows.slice() });
    count.writeUInt32BE(rows.length / FACT_WORDS);
    hash.update(count).update(names);
    hash.update(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
    for (let at = 0; at < rows.length; at += FACT_WORDS) {
      saw(rows[at + FACT.mtime]! + (rows[at + FACT.mtime + 1]! | 0) * WORD);
      saw(rows[at + FACT.ctime]! + (rows[at + FACT.ctime + 1]! | 0) * WORD);
    }
  };
  const addDirectory = (path: string, state: MatchState | undefined): void => {
    const listing = syscalls.listDirectory(path, open);
    const inside: Inside[] = [];
    if (ignore) addListing(path, withoutIgnored(listing, path, state, ignore, inside));
    else {
      addListing(path, listing);
      forEachDirectory(listing.names, listing.rows, (name) => inside.push({ name, state: undefined }));
    }
    for (const next of inside) addDirectory(below(path, next.name), next.state);
  };
  const add = (path: string): boolean => {
    const above = path === '' ? [] : path.split('/');
    if (above.some((part) => ['', '.', '..'].includes(part))) return false;
    for (let depth = 0; depth < above.length; depth += 1) {
      const host = depth === 0 ? root : `${root}/${above.slice(0, depth).join('/')}`;
      if (!lstatSync(fsPath(host)).isDirectory()) return false;
    }
    const judged = path === '' ? undefined : ignore?.judge(path);
    const stat = lstatSync(fsPath(path === '' ? root : `${root}/${path}`), { bigint: true });
    if (judged?.excluded || !(stat.isDirectory() || stat.isFile())) return false;
    const { dev, ino, mode, uid, gid, size, nlink, mtimeNs, ctimeNs, birthtimeNs } = stat;
    hash.update([dev, ino, mode, uid, gid, size, nlink, mtimeNs, ctimeNs, birthtimeNs, ''].join(' '));
    saw(Number(mtimeNs / 1_000_000_000n));
    saw(Number(ctimeNs / 1_000_000_000n));
    if (stat.isDirectory()) addDirectory(path, judged?.state);
    return true;
  };

  for (const path of paths) if (!add(path)) return undefined;
  return { digest: `sha256:${hash.digest('hex')}`, directories, newest };
}

/** @param inside takes the directories to go on with: an excluded one too, where something in it may be wanted again */
function withoutIgnored(
  { count, names, rows }: DirectoryListing,
  directory: string,
  state: MatchState | undefined,
  ignore: IgnoreMatcher,
  inside: Inside[],
): Listed {
  const kept: number[] = [];
  const keptNames: string[] = [];
  forEachName(names, (name, index) => {
    const path = below(directory, name);
    const judged = ignore.match(path, state);
    const isDirectory = isDirectoryAt(rows, index);
    if (judged.excluded && !(isDirectory && ignore.mayHold(path))) return;
    kept.push(index);
    keptNames.push(name);
    if (isDirectory) inside.push({ name, state: judged.state });
  });
  if (kept.length === count) return { names, rows };
  const some = new Uint32Array(kept.length * FACT_WORDS);
  for (const [to, from] of kept.entries()) some.set(rowAt(rows, from), to * FACT_WORDS);
  return { names: encodePath(keptNames.map((name) => `${name}\0`).join('')), rows: some };
}

function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
