import { chmodSync, lstatSync } from 'node:fs';
import { posix } from 'node:path';
import { toAppError } from '../../core/error.ts';
import { type Emit, timed } from '../../core/events.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { makeFreshDirectory } from '../../sys/fresh-directory.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Syscalls } from '../../sys/types.ts';
import { extractOnTop } from '../overlay/stack.ts';
import { readXattrs, type TreeXattrs } from '../snapshot/entry.ts';
import type { ExtractRequest, ExtractResult } from '../types.ts';
import type { FactsDeps } from './directory-facts.ts';
import { createKnownContent, type KnownContent } from './known-content.ts';
import { type Merged, mergeTree } from './merge.ts';
import type { DirectoryTable } from './table.ts';
import { liesAside, type Moment, takeBack } from './take-back.ts';

/** A file tree in a directory, which steps change from one version to the next. */
export interface StageTree {
  readonly dir: string;
  /** Undefined while a step has it, and when nobody knows what is in it. */
  version: number | undefined;
  /** Facts of `version`, once a step has needed them. */
  table: DirectoryTable | undefined;
  xattrs: TreeXattrs;
  /** What it was when steps began that changed it, by version, oldest first. */
  earlier: readonly EarlierVersion[];
  /** What files held when it was extracted, where that was asked for. */
  known: KnownContent | undefined;
  readers: number;
  /** Until then a layer is read from it. */
  written: Promise<unknown>;
}

/** What a tree was. */
export interface EarlierVersion extends Moment {
  readonly number: number;
}

/** What a version consists of. */
export interface TreeVersion {
  readonly number: number;
  readonly layers: () => Promise<readonly LayerBlob[]>;
  /** A version that it is some layers more than, where there is one that a step made. */
  readonly onto?: () => Onto | undefined;
}

/** What a version is made of besides all of its layers. */
export interface Onto {
  /** The number of the version below. */
  readonly version: number;
  /** What lies on that. */
  readonly layers: readonly LayerBlob[];
}

/** Trees by version. */
export interface StageTrees {
  /**
   * Gives a tree of this version to `use`, which reads from it; no step takes it meanwhile.
   * @param paths as in RootfsState.read
   */
  read<T>(
    version: TreeVersion,
    use: (dir: string) => Promise<T>,
    paths: readonly string[] | undefined,
  ): Promise<T>;
  /**
   * A tree that nobody reads from, and that nobody will be given until it has a version again.
   * @param known whether what its files hold is to be remembered when it is extracted
   */
  taken(version: TreeVersion, known: boolean): Promise<StageTree>;
  /** A new tree of this version, for nobody else. */
  fresh(version: TreeVersion): Promise<StageTree>;
  /** The tree that a path lies in. */
  owner(path: string): StageTree | undefined;
  remove(tree: StageTree): void;
}

export interface StageTreesDeps {
  /** An existing directory. */
  readonly dir: string;
  readonly syscalls: FactsDeps['syscalls'] & Pick<Syscalls, 'spreadDirectories' | 'listDirectory'>;
  /** Stages come one after the other, so that a tree that is at rest may be made an earlier version again. */
  readonly takesBack?: boolean;
  readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Trees are extracted when they are first needed, and again when a step has changed the only one of a version. A version
 * that lies on one of which a tree is there and free takes that tree over, and only what is more is extracted. One that a tree
 * was before it only got new paths takes that tree back, and those are kept aside for whoever reads nothing else. Each has a
 * name that no tree had before, for ext4 places it by its name, and is slow where an earlier one was deleted.
 */
export function createStageTrees(deps: StageTreesDeps): StageTrees {
  const { dir, syscalls, extract, emit, signal } = deps;
  const trees = new Set<StageTree>();
  const underWay = new Map<number, Promise<unknown>>();
  /** What versions have more than the tree that was taken back from them. */
  const aside = new Map<number, { readonly dir: string; readonly added: readonly string[] }>();
  syscalls.spreadDirectories(dir);

  const removeDirectory = (path: string): void => {
    removeTree(path, { dev: lstatSync(dir).dev });
  };
  const remove = (tree: StageTree): void => {
    trees.delete(tree);
    removeDirectory(tree.dir);
  };
  const newDirectory = (): string => {
    const target = makeFreshDirectory(dir, 't');
    chmodSync(target, 0o755);
    return target;
  };
  const fresh = async ({ layers }: TreeVersion, known?: KnownContent): Promise<StageTree> => {
    const target = newDirectory();
    const tree: StageTree = {
      dir: target,
      version: undefined,
      table: undefined,
      xattrs: new Map(),
      earlier: [],
      known,
      readers: 0,
      written: Promise.resolve(),
    };
    trees.add(tree);
    try {
      const blobs = await layers();
      if (blobs.length === 0) return tree;
      const digests = known && { digests: known.digests };
      const request = { layers: blobs, target, privileged: true, emit, signal, ...digests };
      tree.xattrs = (await timed(emit, 'extract', () => extract(request))).xattrs;
      return tree;
    } catch (error) {
      remove(tree);
      throw toAppError(error, 'OUTPUT', 'cannot write the root file system');
    }
  };
  /** The tree of the version below, with what is more; undefined where there is none, or the layers do more than add. */
  const takenOver = async ({ onto }: TreeVersion): Promise<StageTree | undefined> => {
    const below = onto?.();
    const tree =
      below && [...trees].find(({ version, readers }) => version === below.version && readers === 0);
    if (!tree) return undefined;
    tree.version = undefined;
    const target = newDirectory();
    let added: TreeXattrs = new Map();
    try {
      await tree.written;
      const adds = await extractOnTop(below.layers, async () => tree.dir, target, {
        syscalls,
        extract: async (layers) => {
          const request = { layers, target, privileged: true, emit, signal };
          added = (await timed(emit, 'extract', () => extract(request))).xattrs;
        },
      });
      if (!adds) {
        removeDirectory(target);
        tree.version = below.version;
        return undefined;
      }
      const done = mergeTree(target, tree.dir, { syscalls });
      if (!tree.known?.isSettled()) tree.known = undefined;
      const xattrs = xattrsAfter(done, tree, added, syscalls);
      Object.assign(tree, { table: undefined, xattrs, earlier: [] });
      return tree;
    } catch (error) {
      removeDirectory(target);
      remove(tree);
      throw toAppError(error, 'OUTPUT', 'cannot write the root file system');
    }
  };
  /** A tree that was this version before a step added to it. */
  const takenBack = async ({ number }: TreeVersion): Promise<StageTree | undefined> => {
    if (!deps.takesBack) return undefined;
    const momentOf = ({ earlier }: StageTree) => earlier.findLast((moment) => moment.number === number);
    const tree = [...trees].find((one) => one.version !== undefined && one.readers === 0 && momentOf(one));
    const was = tree && momentOf(tree);
    const { version, table } = tree ?? {};
    if (!tree || !was || version === undefined || !table) return undefined;
    tree.version = undefined;
    const target = newDirectory();
    try {
      await tree.written;
      const done = takeBack(tree.dir, was, table, target, { syscalls });
      if (!done) {
        removeDirectory(target);
        tree.version = version;
        return undefined;
      }
      aside.set(version, { dir: target, added: done.added });
      const earlier = tree.earlier.slice(0, tree.earlier.indexOf(was));
      Object.assign(tree, { table: done.table, xattrs: was.xattrs, earlier });
      return tree;
    } catch {
      removeDirectory(target);
      remove(tree);
      return undefined;
    }
  };
  /** Whoever waits for the same version waits for the same tree; a step may take it first. */
  const made = (version: TreeVersion): Promise<unknown> => {
    let making = underWay.get(version.number);
    if (!making) {
      making = takenOver(version)
        .then((tree) => tree ?? fresh(version))
        .then((tree) => {
          tree.version = version.number;
        });
      underWay.set(version.number, making);
      void making.catch(() => {}).then(() => underWay.delete(version.number));
    }
    return making;
  };
  const find = (version: TreeVersion, readers: number): StageTree | undefined =>
    [...trees].find((tree) => tree.version === version.number && tree.readers <= readers);

  return {
    fresh: (version) => fresh(version),
    remove,
    read: async (version, use, paths) => {
      const part = aside.get(version.number);
      if (part && paths && liesAside(part.dir, part.added, paths)) return use(part.dir);
      let tree = find(version, Number.POSITIVE_INFINITY);
      for (; !tree; tree = find(version, Number.POSITIVE_INFINITY)) await made(version);
      tree.readers += 1;
      try {
        return await use(tree.dir);
      } finally {
        tree.readers -= 1;
      }
    },
    taken: async (version, known) => {
      const tree =
        find(version, 0) ??
        (await takenBack(version)) ??
        (await takenOver(version)) ??
        (await fresh(version, known ? createKnownContent() : undefined));
      tree.version = undefined;
      await tree.written;
      return tree;
    },
    owner: (path) => [...trees].find((tree) => path === tree.dir || path.startsWith(`${tree.dir}/`)),
  };
}

/** The attributes of a tree that something was moved into, which has these. */
function xattrsAfter(
  { moved, merged }: Merged,
  tree: StageTree,
  added: TreeXattrs,
  syscalls: FactsDeps['syscalls'],
): TreeXattrs {
  const isNew = (path: string): boolean =>
    moved.has(path) || (path.includes('/') && isNew(posix.dirname(path)));
  const kept = [...tree.xattrs].filter(([path]) => !merged.has(path) && !isNew(path));
  const read = [...merged].flatMap((path) => {
    const found = path === '' ? undefined : readXattrs(syscalls, tree.dir, path);
    return found && found.size > 0 ? [[path, found] as const] : [];
  });
  return new Map([...kept, ...added, ...read]);
}
