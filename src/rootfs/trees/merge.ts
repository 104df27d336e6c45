import { lstatSync, renameSync, rmdirSync } from 'node:fs';
import { listNames } from '../../core/list-names.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import { copyDirectoryFacts, type FactsDeps } from './directory-facts.ts';

/** What became of a path in the directory that another one was moved into. */
export interface Merged {
  /** Paths that are new with all that is below them, relative to the directory. */
  readonly moved: Set<string>;
  /** Directories that were there, and have other attributes now; '' for the directory itself. */
  readonly merged: Set<string>;
}

/**
 * Moves all that a directory holds, and its attributes, into another one on the same file system, and removes it. What is
 * there under the same name goes, but for directories, which are merged.
 */
export function mergeTree(
  from: string,
  to: string,
  deps: FactsDeps,
  path = '',
  done: Merged = { moved: new Set(), merged: new Set() },
): Merged {
  const stat = lstatSync(fsPath(from), { bigint: true });
  for (const name of listNames(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const inside = path === '' ? name : `${path}/${name}`;
    const there = lstatSync(fsPath(target), { throwIfNoEntry: false });
    if (there?.isDirectory() && lstatSync(fsPath(source)).isDirectory()) {
      mergeTree(source, target, deps, inside, done);
      continue;
    }
    if (there?.isDirectory()) removeTree(target, { dev: Number(stat.dev) });
    renameSync(fsPath(source), fsPath(target));
    done.moved.add(inside);
  }
  copyDirectoryFacts(from, to, stat, deps);
  rmdirSync(fsPath(from));
  done.merged.add(path);
  return done;
}
