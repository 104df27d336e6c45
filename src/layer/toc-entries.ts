import type { LayerEntry } from '../tar/types.ts';
import { createEntryStore } from './entry-store.ts';
import type { TocEntries, TocEntry } from './types.ts';

/** A list of entries that grows. */
export interface TocEntryList extends TocEntries {
  /** @param entry is copied; it says where its content is only where somebody asks */
  add(entry: LayerEntry & Partial<Pick<TocEntry, 'contentOffset'>>): void;
}

/** Its directory and one more, or 0 for a path without one; its name; the lower and the upper half of where its content is. */
const OWN = { directory: 0, name: 1, content: 2 } as const;
const OWN_WORDS = 4;
const HIGH = 2 ** 32;

/** An empty list: some 40 bytes for each entry and its name, and its directory where the entry before has another one. */
export function createTocEntries(): TocEntryList {
  const store = createEntryStore(OWN_WORDS, false);
  const { own, setOwn, texts } = store;
  let count = 0;
  let directory: string | undefined;
  let directoryAt = 0;
  /** The directory that was read last, which is most often the next one too. */
  let lastAt = 0;
  let lastDirectory = '';

  const pathOf = (row: number): string => {
    const name = texts.get(own(row, OWN.name));
    const at = own(row, OWN.directory);
    if (at === 0) return name;
    if (at !== lastAt) {
      lastAt = at;
      lastDirectory = texts.get(at - 1);
    }
    return `${lastDirectory}/${name}`;
  };
  const contentOffset = (row: number): number => own(row, OWN.content + 1) * HIGH + own(row, OWN.content);

  return {
    get count() {
      return count;
    },
    add: (entry) => {
      const { path } = entry;
      const row = store.addNone();
      store.put(row, entry);
      const slash = path.lastIndexOf('/');
      const above = slash < 0 ? undefined : path.slice(0, slash);
      if (above !== directory) {
        directory = above;
        directoryAt = above === undefined ? 0 : texts.add(above) + 1;
      }
      setOwn(row, OWN.directory, directoryAt);
      setOwn(row, OWN.name, texts.add(path.slice(slash + 1)));
      const { contentOffset: content = 0 } = entry;
      setOwn(row, OWN.content, content);
      setOwn(row, OWN.content + 1, Math.floor(content / HIGH));
      count += 1;
    },
    facts: (row) => store.get(row)!,
    get: (row) => {
      const facts = store.get(row)!;
      // By name: a spread takes several times as long.
      const entry = {
        path: pathOf(row),
        type: facts.type,
        mode: facts.mode,
        uid: facts.uid,
        gid: facts.gid,
        size: facts.size,
        mtime: facts.mtime,
        mtimeNsec: facts.mtimeNsec,
        linkname: facts.linkname,
        devmajor: facts.devmajor,
        devminor: facts.devminor,
        contentOffset: contentOffset(row),
      };
      return facts.xattrs ? { ...entry, xattrs: facts.xattrs } : entry;
    },
    name: (row) => texts.get(own(row, OWN.name)),
    isName: (row, name) => texts.is(own(row, OWN.name), name),
    contentOffset,
    size: store.size,
  };
}
