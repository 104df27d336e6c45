import { pipeline } from 'node:stream/promises';
import { type ContentDigest, digestOf } from '../core/digest.ts';
import { fileSize, ifExists, readBlobFile } from '../oci/blob-file.ts';
import { markUsed } from '../oci/dir-keep.ts';
import { removeLink } from '../oci/dir-link.ts';
import { isThere, removePlain, statPlain } from '../sys/plain.ts';
import { parseRange } from './byte-range.ts';
import { RegistryError } from './registry-error.ts';
import { notModified, send } from './send.ts';
import type { Exchange, Storage } from './types.ts';

/** Requests for the blobs of a repository. */
export interface Blobs {
  read(exchange: Exchange, repository: string, digest: ContentDigest): Promise<void>;
  remove(exchange: Exchange, repository: string, digest: ContentDigest): Promise<void>;
  /** The size of a blob that the repository holds; whoever is told it can rely on the blob for the grace period. */
  sizeOf(repository: string, digest: ContentDigest): Promise<number | undefined>;
}

const YEAR = 'max-age=31536000';

/** Serves blobs. A whole one is verified while it is sent, and what is found damaged is removed. */
export function createBlobs(storage: Storage): Blobs {
  const sizeOf = (repository: string, digest: ContentDigest): Promise<number | undefined> => {
    const layout = storage.layout(repository);
    const [link, path] = [layout.layerLink(digest), layout.blob(digest)];
    if (!isThere(link)) return Promise.resolve(undefined);
    return storage.lock.shared(() => {
      const size = isThere(link) ? storedSize(path, digest) : undefined;
      if (size !== undefined) markUsed(link, path);
      return size;
    });
  };

  const removeDamaged = (path: string, digest: ContentDigest, inode: number): void => {
    storage.emit({
      type: 'warning',
      code: 'CORRUPT',
      text: `the blob ${digest} was damaged on disk and is removed`,
      hint: 'whoever pushes it again heals what needs it; `envbuilder registry check` finds all that is damaged',
    });
    storage.lock
      .shared(() => {
        if (ifExists(() => statPlain(path))?.ino === inode) removePlain(path);
      })
      .catch(() => {});
  };

  return {
    sizeOf,
    read: async (exchange, repository, digest) => {
      const size = await sizeOf(repository, digest);
      if (size === undefined) throw unknownBlob(digest);
      const { request, response, method } = exchange;
      const etag = `"${digest}"`;
      const headers = {
        'content-type': 'application/octet-stream',
        'docker-content-digest': digest,
        'accept-ranges': 'bytes',
        'cache-control': YEAR,
        etag,
      };
      if (notModified(exchange, etag)) return send(exchange, 304, headers);
      const ifRange = request.headers['if-range'];
      const part =
        ifRange === undefined || ifRange === etag ? parseRange(request.headers.range, size) : 'whole';
      if (part === 'unsatisfiable') {
        throw new RegistryError(416, 'SIZE_INVALID', `the blob has ${size} bytes`, {
          headers: { 'content-range': `bytes */${size}` },
        });
      }
      const path = storage.layout(repository).blob(digest);
      const inode = ifExists(() => statPlain(path))?.ino ?? 0;
      if (part === 'whole') response.writeHead(200, { ...headers, 'content-length': size });
      else {
        response.writeHead(206, {
          ...headers,
          'content-length': part.end - part.start + 1,
          'content-range': `bytes ${part.start}-${part.end}/${size}`,
        });
      }
      if (method === 'HEAD') return void response.end();
      const range = part === 'whole' ? undefined : { offset: part.start, length: part.end - part.start + 1 };
      const stream = readBlobFile(path, digest, range, () => removeDamaged(path, digest, inode));
      await pipeline(stream, response);
    },
    remove: async (exchange, repository, digest) => {
      const link = storage.layout(repository).layerLink(digest);
      const removed = await storage.lock.shared(() => removeLink(link));
      if (!removed) throw unknownBlob(digest);
      send(exchange, 202);
    },
  };
}

/** The size of a blob's file; an empty file of another blob was left by a machine that lost its power. */
export function storedSize(path: string, digest: ContentDigest): number | undefined {
  const size = fileSize(path);
  return size === 0 && digest !== digestOf('') && digest !== EMPTY_SHA512 ? undefined : size;
}

const EMPTY_SHA512 =
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e';

function unknownBlob(digest: ContentDigest): RegistryError {
  return new RegistryError(404, 'BLOB_UNKNOWN', 'the repository does not hold this blob', {
    detail: { digest },
  });
}
