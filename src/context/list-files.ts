import { closeSync } from 'node:fs';
import { listNames } from '../core/list-names.ts';
import { comparePaths, encodePath } from '../core/path-bytes.ts';
import { entryIn, lstatEntry } from '../sys/entry.ts';
import { FACT_WORDS, factsOf, forEachName, isDirectoryAt, type PathFacts } from '../sys/path-facts.ts';
import type { Listed } from './tree-state.ts';

/** A place in the order of paths: that of a name, or that of all that is below a directory of this name. */
export interface Place {
  readonly name: string;
  /** Of the name in the listing. */
  readonly index: number;
  readonly below: boolean;
}

/** The names of a directory in the order of the paths that they begin: between `a` and `a/b` stands `a.c`. */
export function inPathOrder({ names, rows }: Listed): Iterable<Place> {
  const found: (Place & { readonly key: string })[] = [];
  forEachName(names, (name, index) => {
    found.push({ key: name, name, index, below: false });
    if (isDirectoryAt(rows, index)) found.push({ key: `${name}/`, name, index, below: true });
  });
  return found.sort((a, b) => comparePaths(a.key, b.key));
}

/** What listDirectory gives, by node:fs. @param fd of the directory, which it closes */
export function listByNode(fd: number): Listed {
  const names: string[] = [];
  const rows: PathFacts[] = [];
  try {
    for (const name of listNames(`/proc/self/fd/${fd}`)) {
      const stat = lstatEntry(entryIn(fd, name));
      if (!stat) continue;
      names.push(`${name}\0`);
      rows.push(factsOf(stat));
    }
  } finally {
    closeSync(fd);
  }
  const all = new Uint32Array(rows.length * FACT_WORDS);
  for (const [index, facts] of rows.entries()) all.set(facts, index * FACT_WORDS);
  return { names: encodePath(names.join('')), rows: all };
}
