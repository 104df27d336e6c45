import { dirname } from 'node:path';
import { type Emit, silent } from '../core/events.ts';
import { fileSize } from '../oci/blob-file.ts';
import { readLink, removeLink, removeTag } from '../oci/dir-link.ts';
import { purgeScratch } from '../oci/dir-scratch.ts';
import { rmdirEntry } from '../sys/entry.ts';
import { atPlain, removePlain } from '../sys/plain.ts';
import { linkedDigests } from './manifest-files.ts';
import { blobFiles, openStorage, usedAt } from './storage.ts';
import { type Survey, survey } from './survey.ts';
import type { Storage } from './types.ts';

export interface CollectRequest {
  readonly root: string;
  /** Tags that nobody used for this long are dropped. */
  readonly olderThanMs?: number;
  /** Tags are dropped, the least recently used first, until what the others reach has no more bytes. */
  readonly maxBytes?: number;
  /** What was used within this time is kept in any case. */
  readonly graceMs: number;
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
  readonly emit?: Emit;
}

export interface CollectResult {
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly freedBytes: number;
  readonly keptBytes: number;
}

/** Removals under one hold of the lock, so that nobody waits for longer than a few milliseconds. */
const BATCH = 64;

/**
 * Removes what nothing reaches: neither tags, nor manifests used within the grace period, nor referrers of what is kept.
 * The directory may be served and used as a layer cache meanwhile; a second run at the same time is harmless.
 * @throws AppError CACHE_DIR when the directory cannot be used or locked
 */
export async function collectGarbage(request: CollectRequest): Promise<CollectResult> {
  const { root, olderThanMs, maxBytes, graceMs, dryRun = false, emit = silent } = request;
  const storage = openStorage(root, emit);
  const now = Date.now();
  if (!dryRun) await storage.lock.beginCollection();
  const cutoff = now - graceMs;
  const planned = await survey(storage, {
    cutoff,
    ...(olderThanMs === undefined ? {} : { usedSince: now - olderThanMs }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  const sweep = createSweep(storage, dryRun);
  const tags = await sweep(planned.dropped, ({ repository, tag, digest, usedAt: seen }) => {
    const layout = storage.layout(repository);
    const link = layout.tagLink(tag);
    const unchanged = readLink(link) === digest && usedAt(link) === seen;
    return unchanged ? () => removeTag(layout, tag) : undefined;
  });
  // A tag that was used meanwhile is kept, and with it what it reaches.
  const found = planned.dropped.length === 0 || dryRun ? planned : await survey(storage, { cutoff });
  const manifests = await sweepLinks(storage, found, cutoff, sweep);
  const everywhere = new Set([...found.reached.values()].flatMap((digests) => [...digests]));
  const stale = (path: string): boolean => (usedAt(path) ?? cutoff) < cutoff;
  let freedBytes = 0;
  const blobs = await sweep(unreachedBlobs(root, everywhere, stale), (path) => {
    const size = fileSize(path) ?? 0;
    if (!stale(path)) return undefined;
    freedBytes += size;
    return () => removeBlob(path);
  });
  if (!dryRun) for (const name of found.repositories) purgeScratch(storage.layout(name).uploads);
  return { tags, manifests, blobs, freedBytes, keptBytes: found.reachedBytes };
}

type Sweep = <T>(items: Iterable<T>, decide: (item: T) => (() => void) | undefined) => Promise<number>;

/** Decides and removes under the exclusive lock, some at a time; gives how many were removed. */
function createSweep({ lock }: Storage, dryRun: boolean): Sweep {
  return async (items, decide) => {
    let removed = 0;
    let batch: (typeof items extends Iterable<infer T> ? T : never)[] = [];
    const flush = async (): Promise<void> => {
      const taken = batch;
      batch = [];
      if (taken.length === 0) return;
      await lock.exclusive(() => {
        for (const item of taken) {
          const remove = decide(item);
          if (remove === undefined) continue;
          removed += 1;
          if (!dryRun) remove();
        }
      });
    };
    for (const item of items) {
      batch.push(item);
      if (batch.length === BATCH) await flush();
    }
    await flush();
    return removed;
  };
}

/** Removes links of manifests and layers that their repository does not reach; counts the manifests. */
async function sweepLinks(storage: Storage, found: Survey, cutoff: number, sweep: Sweep): Promise<number> {
  let manifests = 0;
  const decide = (link: string): (() => void) | undefined =>
    (usedAt(link) ?? cutoff) < cutoff ? () => removeLink(link) : undefined;
  for (const repository of found.repositories) {
    const layout = storage.layout(repository);
    const reached = found.reached.get(repository)!;
    const revisions = linkedDigests(layout.revisions).filter((digest) => !reached.has(digest));
    manifests += await sweep(revisions.map(layout.revisionLink), decide);
    const layers = linkedDigests(layout.layers).filter((digest) => !reached.has(digest));
    await sweep(layers.map(layout.layerLink), decide);
  }
  return manifests;
}

function* unreachedBlobs(
  root: string,
  reached: ReadonlySet<string>,
  stale: (path: string) => boolean,
): Generator<string> {
  for (const { digest, path } of blobFiles(root)) if (!reached.has(digest) && stale(path)) yield path;
}

function removeBlob(path: string): void {
  removePlain(path);
  try {
    atPlain(dirname(path), rmdirEntry);
  } catch {
    // Somebody else's file is in it: it stays.
  }
}
