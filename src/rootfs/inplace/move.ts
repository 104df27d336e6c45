import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { listNames } from '../../core/list-names.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { setTime } from '../../sys/path-facts.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import { copyDirectoryFacts, type FactsDeps } from '../trees/directory-facts.ts';
import type { TableEntry } from '../trees/table.ts';
import type { Pins } from './pins.ts';

/** Ctimes that moved paths had once they had arrived, by path relative to the tree. */
export type Arrivals = Map<string, bigint>;

/** Finds what a table says of a path. */
export type FindFacts = (path: string) => TableEntry | undefined;

/** A directory and what stays in it. */
interface Place {
  readonly from: string;
  readonly to: string;
  readonly pins: Pins;
  /** Relative to the tree, '' or with a slash at its end. */
  readonly prefix: string;
}

/**
 * Moves a tree into a directory that holds nothing but pins. What a pin covers stays behind in the tree, and so does
 * whatever is no directory where a pin needs one.
 * @param found takes symlinks that stay behind, relative to the tree, with what is pinned there
 */
export function moveIn(place: Place, arrivals: Arrivals, found: Map<string, Pins>, deps: FactsDeps): void {
  const { from, to, pins, prefix } = place;
  for (const name of listNames(from)) {
    const [source, target, path] = [`${from}/${name}`, at(to, name), prefix + name];
    const pin = pins.children.get(name);
    if (!pin) {
      renameSync(fsPath(source), fsPath(target));
      arrivals.set(path, changeTime(target));
      continue;
    }
    if (pin.kept) continue;
    const stat = lstatSync(fsPath(source), { bigint: true });
    const there = lstatSync(fsPath(target), { throwIfNoEntry: false });
    if (stat.isSymbolicLink()) found.set(path, pin);
    if (!stat.isDirectory() || (there && !there.isDirectory())) continue;
    if (!there) mkdirSync(fsPath(target));
    moveIn({ from: source, to: target, pins: pin, prefix: `${path}/` }, arrivals, found, deps);
    copyDirectoryFacts(source, target, stat, deps);
  }
}

/**
 * The inverse of moveIn: moves everything but pins out of a directory into the tree, which holds what stayed behind.
 * @param find facts of the tree; what was only moved gets its new ctime there
 */
export function moveOut(place: Place, arrivals: Arrivals, find: FindFacts, deps: FactsDeps): void {
  const { from, to, pins, prefix } = place;
  for (const name of listNames(from)) {
    const [source, target, path] = [at(from, name), `${to}/${name}`, prefix + name];
    const pin = pins.children.get(name);
    if (!pin) {
      moveBack(source, target, path, arrivals, find);
      continue;
    }
    if (pin.kept) continue;
    const stat = lstatSync(fsPath(source), { bigint: true });
    const there = lstatSync(fsPath(target), { throwIfNoEntry: false });
    if (!stat.isDirectory()) {
      // A RUN put something else where only an ignored path was; it counts as the tree's.
      if (there) removeTree(target, { dev: lstatSync(fsPath(to)).dev });
      moveBack(source, target, path, arrivals, find);
      continue;
    }
    if (!there && listNames(source).every((child) => pin.children.has(child))) continue;
    if (there && !there.isDirectory()) continue;
    if (!there) mkdirSync(fsPath(target));
    moveOut({ from: source, to: target, pins: pin, prefix: `${path}/` }, arrivals, find, deps);
    copyDirectoryFacts(source, target, stat, deps);
  }
}

/**
 * Removes everything but pins. No other file system is ever entered, even one that was mounted meanwhile.
 * @throws Error EXDEV where there is one
 */
export function clearDirectory(directory: string, pins: Pins): void {
  const { dev } = lstatSync(fsPath(directory));
  for (const name of listNames(directory)) {
    const path = at(directory, name);
    const pin = pins.children.get(name);
    if (!pin) removeTree(path, { dev });
    else if (!pin.kept && lstatSync(fsPath(path)).isDirectory()) clearDirectory(path, pin);
  }
}

/** The path of a name in a directory, which may be `/`. */
export function at(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

function moveBack(source: string, target: string, path: string, arrivals: Arrivals, find: FindFacts): void {
  const untouched = arrivals.get(path) === changeTime(source);
  renameSync(fsPath(source), fsPath(target));
  const known = untouched ? find(path) : undefined;
  if (known) setTime(known.facts, 'ctime', changeTime(target));
}

function changeTime(path: string): bigint {
  return lstatSync(fsPath(path), { bigint: true }).ctimeNs;
}
