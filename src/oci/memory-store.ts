import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { isTag } from './reference.ts';
import type { RawManifest, Store } from './types.ts';

/**
 * A repository in memory, for tests and for builds that leave nothing behind. It is gone with the object.
 * @param name for messages
 */
export function createMemoryStore(name = 'memory'): Store {
  const blobs = new Map<Digest, Buffer>();
  const manifests = new Map<Digest, RawManifest>();
  const tags = new Map<string, Digest>();
  return {
    name,
    has: async (digest) => blobs.get(digest)?.length,
    get: async (digest, range, signal) => {
      signal?.throwIfAborted();
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw new AppError('REFERENCE', `there is no blob ${digest} in ${name}`);
      const { offset, length = bytes.length } = range ?? { offset: 0 };
      return Readable.from([bytes.subarray(offset, offset + length)], { objectMode: false });
    },
    readInto: async (digest, offset, into) => {
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw new AppError('REFERENCE', `there is no blob ${digest} in ${name}`);
      return bytes.copy(into, 0, offset, offset + into.length);
    },
    put: async (source, signal) => {
      signal?.throwIfAborted();
      if (blobs.has(source.digest)) return 'exists';
      const bytes = await buffer(source.open());
      if (digestOf(bytes) !== source.digest || bytes.length !== source.size)
        throw new AppError('CORRUPT', `what was read is not the blob ${source.digest}`);
      blobs.set(source.digest, bytes);
      return 'stored';
    },
    resolve: async (tagOrDigest) => {
      const digest = isDigest(tagOrDigest) ? tagOrDigest : tags.get(tagOrDigest);
      return digest === undefined ? undefined : manifests.get(digest);
    },
    listTags: async () => [...tags.keys()],
    drop: async (_tag, digest) => {
      manifests.delete(digest);
      for (const [tag, named] of tags) if (named === digest) tags.delete(tag);
      return true;
    },
    tag: async (bytes, mediaType, tag) => {
      if (tag !== undefined && !isTag(tag))
        throw new AppError('REFERENCE', `"${tag.slice(0, 200)}" is not a tag`);
      const digest = digestOf(bytes);
      const descriptor = { mediaType, digest, size: bytes.length };
      manifests.set(digest, { descriptor, bytes });
      if (tag !== undefined) tags.set(tag, digest);
      return descriptor;
    },
  };
}
