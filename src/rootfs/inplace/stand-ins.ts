import { lstatSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { listNames } from '../../core/list-names.ts';
import { decodePath, fsPath } from '../../core/path-bytes.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import { resolveInRoot } from '../resolve-in-root.ts';
import { at } from './move.ts';
import type { Pins } from './pins.ts';

/** Symlinks that stand for the entries of a directory, by path. */
export interface StandIns {
  /** Takes them away; what was deleted or put in their place is deleted from, or moved into, the directory that they stood for. */
  remove(): void;
}

/**
 * A mount at /lib/modules makes /lib a directory that cannot be replaced by the image's symlink to usr/lib. In its place
 * come symlinks to every entry of the directory that the symlink leads to.
 * @param root the tree as it is now
 * @param behind the symlinks by path, and what is pinned at that path
 * @param linkOf where a symlink that could not be put there lies
 */
export function placeStandIns(
  root: string,
  behind: ReadonlyMap<string, Pins>,
  linkOf: (path: string) => string,
): StandIns {
  const placed: [directory: string, meant: string, pins: Pins][] = [];
  const made = new Map<string, string>();

  const place = (directory: string, meant: string, pins: Pins): void => {
    placed.push([directory, meant, pins]);
    for (const name of listNames(meant)) {
      const [here, there] = [at(directory, name), at(meant, name)];
      const pin = pins.children.get(name);
      if (!pin) {
        if (lstatSync(fsPath(here), { throwIfNoEntry: false })) continue;
        symlinkSync(fsPath(there), fsPath(here));
        made.set(here, there);
      } else if (!pin.kept && isDirectory(there) && isDirectory(here)) place(here, there, pin);
    }
  };
  for (const [path, pins] of behind) {
    const link = decodePath(readlinkSync(fsPath(linkOf(path)), { encoding: 'buffer' }));
    const from = link.startsWith('/') ? link : `/${path}/../${link}`;
    const meant = resolveInRoot(root, from, { followLast: true });
    const here = at(root, path);
    if (meant !== here && !meant.startsWith(`${here}/`) && isDirectory(meant) && isDirectory(here))
      place(here, meant, pins);
  }

  return {
    remove: () => {
      for (const [here, there] of made) {
        const stat = lstatSync(fsPath(here), { throwIfNoEntry: false });
        if (stat?.isSymbolicLink() && readlinkSync(fsPath(here)) === fsPath(there)) unlinkSync(fsPath(here));
        else if (!stat) removeTree(there, { dev: lstatSync(fsPath(root)).dev });
      }
      made.clear();
      for (const [directory, meant, pins] of placed.splice(0)) {
        for (const name of listNames(directory)) {
          if (pins.children.has(name)) continue;
          removeTree(at(meant, name), { dev: lstatSync(fsPath(root)).dev });
          renameSync(fsPath(at(directory, name)), fsPath(at(meant, name)));
        }
      }
    },
  };
}

function isDirectory(path: string): boolean {
  return lstatSync(fsPath(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
