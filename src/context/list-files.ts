import { closeSync } from 'node:fs';
import { listNames } from '../core/list-names.ts';
import { comparePaths, encodePath } from '../core/path-bytes.ts';
import { entryIn, lstatEntry } from '../sys/entry.ts';
import { FACT_WORDS, factsOf, forEachName, type PathFacts } from '../sys/path-facts.ts';
import type { Listed } from './tree-state.ts';

/** The names of a listing with their indexes: the memo of hashes is read in the order in which it was written. */
export function sortedNames(names: Buffer): [string, number][] {
  const found: [string, number][] = [];
  forEachName(names, (name, index) => found.push([name, index]));
  return found.sort(([a], [b]) => comparePaths(a, b));
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
