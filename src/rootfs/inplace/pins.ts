import { lstatSync, realpathSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';
import { readMountTable } from '../../sys/mount-table.ts';

/**
 * What stays where it is when a root file system is replaced, as a tree of names: a kept path with all below it, and the
 * directories on the way to one, which are never deleted or replaced either.
 */
export interface Pins {
  readonly kept: boolean;
  readonly children: ReadonlyMap<string, Pins>;
}

interface Building {
  kept: boolean;
  readonly children: Map<string, Building>;
}

/** Files by which programs tell that they are in a container. */
const MARKERS = ['/.dockerenv', '/run/.containerenv'];

/**
 * The pins of this container now: every mount but the root itself, and the paths to keep, under their real names too. A path
 * to keep that is not there has nothing that could be lost, and does not hide what an image has there.
 * @param keep absolute paths
 */
export function currentPins(keep: readonly string[]): Pins {
  const mounts = readMountTable().map(({ mountPoint }) => mountPoint);
  const there = [...keep, ...MARKERS].filter((path) => lstatSync(fsPath(path), { throwIfNoEntry: false }));
  return createPins([...mounts, ...there, ...there.map(realName)]);
}

/** @param paths absolute; `/` is left out */
export function createPins(paths: readonly string[]): Pins {
  const root: Building = { kept: false, children: new Map() };
  for (const path of paths) {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    let at = root;
    for (const part of parts) {
      let next = at.children.get(part);
      if (!next) {
        next = { kept: false, children: new Map() };
        at.children.set(part, next);
      }
      at = next;
    }
    if (at !== root) at.kept = true;
  }
  return root;
}

/** How a path stands to the pins: at or below a kept one, on the way to one, or neither. */
export function pinOf(pins: Pins, path: string): { readonly kept: boolean; readonly pin: Pins | undefined } {
  let at: Pins | undefined = pins;
  for (const part of path.split('/').filter(Boolean)) {
    at = at.children.get(part);
    if (!at) return { kept: false, pin: undefined };
    if (at.kept) return { kept: true, pin: at };
  }
  return { kept: false, pin: at };
}

function realName(path: string): string {
  try {
    return realpathSync(fsPath(path) as string);
  } catch {
    return path;
  }
}
