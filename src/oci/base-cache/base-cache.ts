import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { fileSize } from '../blob-file.ts';
import { createOciLayoutStore } from '../oci-layout.ts';
import { formatReference } from '../reference.ts';
import type { Reference, Store } from '../types.ts';
import { createKanikoStore } from './kaniko-store.ts';

/** A directory of base images, to read from. */
export interface BaseCache {
  /** Blobs and manifests by digest, and what a tag meant when it was warmed, by its name in full. */
  readonly store: Store;
  /** The digest that a tag had when it was warmed. */
  tagged(reference: Reference): Promise<Digest | undefined>;
}

/** The name of an image in the index of a cache: in full, with `latest` where there is neither tag nor digest. */
export function cacheName(reference: Reference): string {
  const { tag, digest } = reference;
  return formatReference(
    tag === undefined && digest === undefined ? { ...reference, tag: 'latest' } : reference,
  );
}

/**
 * Opens a directory that `envbuilder warm` or the image warmer of kaniko has filled: an OCI layout, the files of kaniko,
 * or both. A directory that is not there is an empty one, since the volume may come later.
 * @throws AppError CACHE_DIR for what is no directory, or cannot be reached
 */
export function openBaseCache(dir: string): BaseCache {
  checkIsDirectory(dir);
  const kaniko = createKanikoStore(dir);
  const isLayout = fileSize(join(dir, 'oci-layout')) !== undefined;
  const stores = [...(isLayout ? [createOciLayoutStore(dir)] : []), kaniko];
  const first = async <T>(ask: (store: Store) => Promise<T | undefined>): Promise<T | undefined> => {
    for (const store of stores) {
      const found = await ask(store);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const store: Store = {
    ...kaniko,
    has: (digest) => first((each) => each.has(digest)),
    resolve: (tagOrDigest) => first((each) => each.resolve(tagOrDigest)),
    get: async (digest, range, signal) => {
      for (const each of stores)
        if ((await each.has(digest)) !== undefined) return each.get(digest, range, signal);
      throw new AppError('REFERENCE', `there is no blob ${digest} in ${dir}`);
    },
  };
  return {
    store,
    tagged: async (reference) =>
      isLayout ? (await stores[0]!.resolve(cacheName(reference)))?.descriptor.digest : undefined,
  };
}

function checkIsDirectory(dir: string): void {
  const where = { path: dir };
  const hint = 'name a directory that envbuilder warm has filled, or one that is not there yet';
  let isDirectory: boolean;
  try {
    isDirectory = statSync(dir).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw toAppError(error, 'CACHE_DIR', `cannot read the base image cache ${dir}`, { where, hint });
  }
  if (!isDirectory)
    throw new AppError('CACHE_DIR', `the base image cache ${dir} is not a directory`, { where, hint });
}
