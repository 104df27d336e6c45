import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { isThere, touchPlain } from '../sys/plain.ts';
import { ifExists, readSmallFile } from './blob-file.ts';
import type { DirLayout } from './dir-layout.ts';

/**
 * Marks files as used now, which is what a garbage collection goes by: it removes nothing that was used within its grace
 * period. Best effort, since a directory may be read-only. To be called under the directory's shared lock.
 */
export function markUsed(...paths: readonly string[]): void {
  for (const path of paths) {
    try {
      touchPlain(path);
    } catch {
      // Where the time cannot be set, nothing can be removed either.
    }
  }
}

/** Marks what manifests reach, and remembers it. */
export interface ReachMarks {
  /**
   * Marks everything that a manifest reaches as used now: blobs, manifests, and what those reach; but for what was marked
   * since the last collection began, since the records of a long build name all layers before them.
   * @param collection what the lock gave; undefined marks everything
   */
  mark(layout: DirLayout, bytes: Buffer, collection: number | undefined): void;
}

/** A server forgets what it has marked rather than growing with the directory. */
const MOST_REMEMBERED = 100_000;

/** Remembers nothing yet. For one directory, and any of its repositories. */
export function createReachMarks(): ReachMarks {
  const marked = new Set<string>();
  let since: number | undefined;

  const markAll = (layout: DirLayout, bytes: Buffer): void => {
    for (const digest of digestsIn(bytes)) {
      const link = layout.layerLink(digest);
      if (marked.has(link)) continue;
      marked.add(link);
      const revision = layout.revisionLink(digest);
      markUsed(layout.blob(digest), link);
      if (!isThere(revision)) continue;
      markUsed(revision);
      const child = ifExists(() => readSmallFile(layout.blob(digest)));
      if (child !== undefined) markAll(layout, child);
    }
  };
  return {
    mark: (layout, bytes, collection) => {
      if (collection === undefined || collection !== since || marked.size > MOST_REMEMBERED) marked.clear();
      since = collection;
      markAll(layout, bytes);
    },
  };
}

/**
 * Every digest that a manifest names, annotations included: cache records name the layers of other records there. A
 * digest that names something else than content costs nothing.
 */
export function digestsIn(bytes: Buffer): readonly ContentDigest[] {
  const found =
    bytes.toString('latin1').match(/sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})(?![0-9a-f])/g) ?? [];
  return [...new Set(found as readonly string[])].filter(isContentDigest);
}
