import { lstatSync, mkdirSync } from 'node:fs';
import { removeTree } from '../../sys/remove-tree.ts';
import { copyDirectoryFacts, type FactsDeps } from '../trees/directory-facts.ts';
import { createLookup, type DirectoryTable } from '../trees/table.ts';
import { type Arrivals, clearDirectory, moveIn, moveOut } from './move.ts';
import { currentPins, type Pins } from './pins.ts';
import { placeStandIns } from './stand-ins.ts';

/** The root file system while a tree takes its place. */
export interface EnteredRoot {
  readonly pins: Pins;
  /** Takes the tree out of the root again. */
  leave(table: DirectoryTable): void;
}

export interface RootDeps extends FactsDeps {
  /** Absolute paths that stay, besides mounts. */
  readonly keep: readonly string[];
}

/**
 * Makes a tree the root file system: everything but pins is deleted from the root, and the tree's entries are moved into it.
 * @param dir a complete tree on the file system of the root, below a path that is kept
 */
export function enterRoot(dir: string, deps: RootDeps): EnteredRoot {
  const pins = currentPins(deps.keep);
  clearDirectory('/', pins);
  const arrivals: Arrivals = new Map();
  const behind = new Map<string, Pins>();
  const facts = lstatSync(dir, { bigint: true });
  moveIn({ from: dir, to: '/', pins, prefix: '' }, arrivals, behind, deps);
  // What a RUN does to the root directory itself is in no layer, and lasts no longer than that RUN.
  copyDirectoryFacts(dir, '/', facts, deps);
  const standIns = placeStandIns('/', behind, (path) => `${dir}/${path}`);
  return {
    pins,
    leave: (table) => {
      standIns.remove();
      moveOut({ from: '/', to: dir, pins, prefix: '' }, arrivals, createLookup(table), deps);
    },
  };
}

/** Makes an empty directory, whatever is there. */
export function freshDirectory(path: string, mode: number): string {
  removeTree(path);
  mkdirSync(path, { recursive: true, mode });
  return path;
}
