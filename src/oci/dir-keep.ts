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

/** Marks everything that a manifest reaches as used now: blobs, manifests, and what those reach. */
export function markReached(layout: DirLayout, bytes: Buffer, seen: Set<ContentDigest> = new Set()): void {
  for (const digest of digestsIn(bytes)) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    const revision = layout.revisionLink(digest);
    markUsed(layout.blob(digest), layout.layerLink(digest));
    if (!isThere(revision)) continue;
    markUsed(revision);
    const child = ifExists(() => readSmallFile(layout.blob(digest)));
    if (child !== undefined) markReached(layout, child, seen);
  }
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
