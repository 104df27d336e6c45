import { closeSync, constants } from 'node:fs';
import type { BeneathDirectory, Links } from './beneath.ts';
import { O_PATH } from './descriptor.ts';
import { type EntryName, entryIn } from './entry.ts';

/** Names entries one after the other; those of one directory are found without looking for it each time. */
export interface Entries {
  /**
   * @param path relative to the directory that was opened
   * @returns what is right until the next call
   * @throws Error ENOENT where the directory of the entry is missing, unless it is to be made
   */
  at(path: string): EntryName;
  /** To be called when a directory may have been removed or replaced. */
  reset(): void;
  close(): void;
}

/** @param options.make whether directories on the way are made, with the mode 0755 */
export function createEntries(
  root: BeneathDirectory,
  { links, make }: { readonly links: Links; readonly make: boolean },
): Entries {
  let [above, fd] = ['', -1];
  const reset = (): void => {
    if (fd !== -1) closeSync(fd);
    fd = -1;
  };
  return {
    reset,
    close: reset,
    at: (path) => {
      const cut = path.lastIndexOf('/');
      const parent = cut === -1 ? '' : path.slice(0, cut);
      if (fd === -1 || parent !== above) {
        reset();
        if (make) root.makeDirectory(parent, { links });
        fd = root.open(parent, O_PATH | constants.O_DIRECTORY, { links });
        above = parent;
      }
      return entryIn(fd, path.slice(cut + 1));
    },
  };
}
