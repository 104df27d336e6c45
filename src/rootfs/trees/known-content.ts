import { FACT_WORDS, sameWords } from '../../sys/path-facts.ts';
import type { ContentDigests } from '../types.ts';
import type { PreviousContent } from './previous.ts';
import { createLookup, type DirectoryTable } from './table.ts';

/** What files of a tree held when it was extracted, for those of which that was told. */
export interface KnownContent {
  /** What takes the digests while the tree is extracted. */
  readonly digests: ContentDigests;
  /** The table of the tree as it was extracted; all but the first are ignored. */
  extracted(table: DirectoryTable): void;
  /** Whether `extracted` was called. */
  isSettled(): boolean;
  /**
   * Content by path.
   * @param table of the tree, now or at an earlier moment
   * @returns nothing for paths that are not known, or that anything has touched between the extraction and that table
   */
  at(table: DirectoryTable, paths: Iterable<string>): Map<string, PreviousContent>;
}

/** Most images of which something is built have fewer. With their paths they take 4 MiB. */
const MOST_FILES = 20_000;
/** Of larger files nothing is kept: they are few, and hashing them takes as long as it saves. */
const MOST_BYTES = 1 << 20;

/** Remembers digests of as many files as is worth the memory. */
export function createKnownContent(mostFiles = MOST_FILES): KnownContent {
  const digests = new Map<string, string>();
  let first: DirectoryTable | undefined;
  return {
    digests: {
      wants: (size) => size <= MOST_BYTES && digests.size < mostFiles,
      set: (path, sha256) => {
        if (sha256 === undefined) digests.delete(path);
        else digests.set(path, sha256);
      },
      keep: (isKept) => {
        for (const path of digests.keys()) if (!isKept(path)) digests.delete(path);
      },
    },
    extracted: (table) => {
      first ??= table;
    },
    isSettled: () => first !== undefined,
    at: (table, paths) => {
      const found = new Map<string, PreviousContent>();
      if (!first) return found;
      const [was, is] = [createLookup(first), createLookup(table)];
      for (const path of paths) {
        const sha256 = digests.get(path);
        const [old, now] = [was(path), is(path)];
        if (sha256 !== undefined && old && now && sameWords(old.facts, now.facts, 0, FACT_WORDS))
          found.set(path, { sha256 });
      }
      return found;
    },
  };
}
