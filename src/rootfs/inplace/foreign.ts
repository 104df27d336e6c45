import { posix } from 'node:path';
import { readMountTable } from '../../sys/mount-table.ts';
import type { Syscalls } from '../../sys/types.ts';
import { resolveInRoot } from '../resolve-in-root.ts';
import type { Stain } from '../types.ts';
import { createForeignChanges } from './foreign-changes.ts';
import { type ForeignPlace, foreignPlaces, ownPlaces } from './foreign-places.ts';
import { findPlaces, type Told } from './found-places.ts';
import { NETWORK_FILES } from './network-files.ts';
import { type Pins, pinOf } from './pins.ts';
import { createSameContent } from './same-content.ts';
import { recoverPlace, SAVED, type ShownImage, showImage } from './show-image.ts';

export interface ForeignDeps {
  readonly syscalls: Pick<
    Syscalls,
    'listDirectory' | 'lutimes' | 'listXattrs' | 'getXattr' | 'setXattr' | 'tryLock'
  >;
  /** Absolute paths that stay, besides mounts. */
  readonly keep: readonly string[];
  /** Directories of our own: what a RUN writes there is told, and what is mounted there is ours. */
  readonly own: readonly string[];
  /** Paths that this process writes to while a RUN runs. */
  readonly written: readonly string[];
  readonly tickFile: string;
}

/** What a RUN has to do with what no image has put into its root. */
export interface ForeignContent {
  /**
   * Before a tree becomes the root.
   * @param dir where it lies
   */
  look(dir: string, told: Told): ForeignLook;
}

/** A RUN that is about to run on a tree. */
export interface ForeignLook {
  /** Puts the tree's files into the foreign places. @returns what takes them away again */
  show(pins: Pins, mountTargets: readonly string[]): () => void;
  /** Runs `work` and tells what no clean machine would have had it do. */
  watch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly stains: readonly Stain[] }>;
}

/** @throws nothing for places that cannot be looked at */
export function createForeignContent(deps: ForeignDeps): ForeignContent {
  const changes = createForeignChanges(deps);
  const sameContent = createSameContent();
  const outside = deps.keep.filter((path) => !deps.own.includes(path));
  const touched = new Set<string>();
  for (const place of foreignPlaces(outside, deps.own)) recoverPlace(place, deps.syscalls);

  return {
    look: (dir, told) => {
      const mounts = readMountTable();
      const places = foreignPlaces(outside, deps.own, mounts);
      const sources = new Map(
        places.map(({ path }) => [path, resolveInRoot(dir, path, { followLast: true }).slice(dir.length)]),
      );
      const found = findPlaces(dir, places, told);
      const skip = new Set(deps.written);
      let shown: ShownImage | undefined;
      return {
        show: (pins, mountTargets) => {
          for (const target of mountTargets) {
            // Where the container has such a file of its own, the RUN sees that one.
            if (NETWORK_FILES.includes(target) && sources.has(target)) continue;
            skip.add(resolveInRoot('/', target, { followLast: true }));
          }
          const imageAt = (path: string): string => {
            const at = sources.get(path)!;
            return pinOf(pins, at).kept ? posix.join(dir, at) : at;
          };
          shown = showImage(places, { syscalls: deps.syscalls, imageAt, sameContent, skip });
          return () => {
            shown?.remove();
            for (const path of shown?.touched ?? []) touched.add(path);
          };
        },
        watch: async (work) => {
          const saved = places.map(({ path }) => posix.join(path, SAVED));
          const all = [...places, ...ownPlaces(deps.own, mounts)];
          const named = new Set(all.map(({ path }) => path));
          const others = mounts.map(({ mountPoint }) => mountPoint).filter((path) => !named.has(path));
          const changedByUs = [...touched, ...(shown?.touched ?? [])];
          changes.before(all, new Set([...skip, ...saved, ...others]), changedByUs);
          touched.clear();
          const result = await work();
          const changed = changes.after().map((one) => stainOf('changed', one));
          const hidden = (shown?.hidden ?? []).map((one) => stainOf('hidden', one));
          const other = found.after().map((one) => stainOf('found', one));
          return { result, stains: onePerPlace([...changed, ...hidden, ...other]) };
        },
      };
    },
  };
}

function onePerPlace(stains: readonly Stain[]): Stain[] {
  return stains.filter((stain, i) => stains.findIndex(({ place }) => place === stain.place) === i);
}

function stainOf(
  what: Stain['what'],
  { place, path }: { readonly place: ForeignPlace; readonly path: string },
): Stain {
  return { what, path, place: place.path, mounted: place.mounted };
}
