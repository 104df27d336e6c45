import { AppError } from '../../core/error.ts';
import { LIMITS } from '../../core/limits.ts';
import type { LayerEntry } from '../../tar/types.ts';

/** Counts what a union keeps in memory, besides a little for every entry. */
export interface EntryCount {
  beginLayer(): void;
  /** @throws AppError CORRUPT for a layer with more than LIMITS allows */
  entry(entry: LayerEntry): void;
  /** A directory that only the path of another entry names. @throws AppError CORRUPT when there are too many */
  implied(): void;
}

/** @see EntryCount; the directories are counted for all layers together, since they come one by one */
export function createEntryCount(): EntryCount {
  let longNames = 0;
  let xattrs = 0;
  let implied = 0;
  const check = (value: number, { most, text }: { readonly most: number; readonly text: string }): void => {
    if (value > most) throw new AppError('CORRUPT', `there are more than ${most} of this: ${text}`);
  };
  return {
    beginLayer: () => {
      longNames = 0;
      xattrs = 0;
    },
    entry: (entry) => {
      const { path, linkname } = entry;
      const long = excess(path) + excess(linkname);
      if (long > 0) {
        longNames += long;
        check(longNames, LIMITS.longNames);
      }
      if (!entry.xattrs) return;
      for (const [name, value] of entry.xattrs) xattrs += name.length + value.length;
      check(xattrs, LIMITS.xattrs);
    },
    implied: () => {
      implied += 1;
      check(implied, LIMITS.impliedDirectories);
    },
  };
}

function excess({ length }: string): number {
  return Math.max(0, length - LIMITS.name.most);
}
