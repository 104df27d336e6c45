import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf, isDigest, parseDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { fileSize, ifExists, moveInto, readBlobFile, readSmallBlob, storeBlobFile } from './blob-file.ts';
import { bytesSource } from './blob-source.ts';
import { checkDirectory, directoryError } from './dir-check.ts';
import { dirLayout } from './dir-layout.ts';
import { purgeScratch, withScratch } from './dir-scratch.ts';
import { manifestMediaType } from './manifest.ts';
import { isRepository, isTag } from './reference.ts';
import type { RawManifest, Store } from './types.ts';

export interface DirectoryStoreOptions {
  /** What `rootdirectory` is to CNCF Distribution; made on the first write. */
  readonly root: string;
  readonly repository: string;
}

/**
 * A repository in CNCF Distribution's file layout, so that `docker-registry serve` can serve the directory, before, after
 * and meanwhile. Any number of processes may use it at once, and any of them may be killed at any time: a blob, a
 * manifest or a tag is there whole or not at all. A blob found to be damaged counts as absent until it is put again.
 * @throws AppError CACHE_DIR when the root is a file or holds something else
 */
export function createDirectoryStore({ root, repository }: DirectoryStoreOptions): Store {
  if (!isRepository(repository)) {
    throw new AppError('REFERENCE', `"${repository.slice(0, 200)}" is not a repository name`);
  }
  checkDirectory(root);
  const layout = dirLayout(root, repository);
  const damaged = new Set<Digest>();
  let purged = false;

  const sizeOf = (digest: Digest): number | undefined => {
    const size = fileSize(layout.blob(digest));
    const empty = size === 0 && digest !== digestOf('');
    return empty || damaged.has(digest) ? undefined : size;
  };
  const writing = async <T>(work: (scratch: string) => Promise<T>): Promise<T> => {
    try {
      if (!purged) purgeScratch(layout.uploads);
      purged = true;
      return await withScratch(layout.uploads, work);
    } catch (error) {
      throw directoryError(error, root);
    }
  };
  const link = (scratch: string, target: string, digest: Digest): void => {
    if (ifExists(() => fs.readFileSync(target, 'latin1')) === digest) return;
    const staged = join(scratch, 'link');
    fs.writeFileSync(staged, digest);
    moveInto(staged, target);
  };
  const digestOfTag = (tag: string): Digest | undefined => {
    const path = layout.tagLink(tag);
    const text = ifExists(() => fs.readFileSync(path, 'latin1'));
    return text === undefined ? undefined : parseDigest(text.trim(), `the tag ${tag} in ${root}`);
  };

  const store: Store = {
    name: `${root} (${repository})`,
    has: async (digest) => (fileSize(layout.layerLink(digest)) === undefined ? undefined : sizeOf(digest)),
    get: async (digest, range, signal) =>
      readBlobFile(layout.blob(digest), digest, range, () => damaged.add(digest), signal),
    put: async (source, signal) => {
      const { digest } = source;
      const linked = fileSize(layout.layerLink(digest)) !== undefined;
      const stored = sizeOf(digest) === source.size;
      if (linked && stored) return 'exists';
      await writing(async (scratch) => {
        if (!stored) await storeBlobFile(source, layout.blob(digest), scratch, signal);
        damaged.delete(digest);
        link(scratch, layout.layerLink(digest), digest);
      });
      return stored ? 'mounted' : 'stored';
    },
    resolve: async (tagOrDigest) => {
      const digest = isDigest(tagOrDigest)
        ? tagOrDigest
        : isTag(tagOrDigest)
          ? digestOfTag(tagOrDigest)
          : undefined;
      if (digest === undefined || fileSize(layout.revisionLink(digest)) === undefined) return undefined;
      const bytes = readSmallBlob(layout.blob(digest), digest);
      return bytes && rawManifest(bytes, digest);
    },
    tag: async (bytes, mediaType, tag, signal) => {
      if (tag !== undefined && !isTag(tag))
        throw new AppError('REFERENCE', `"${tag.slice(0, 200)}" is not a tag`);
      const source = bytesSource(bytes);
      const raw = rawManifest(bytes, source.digest);
      if (raw.descriptor.mediaType !== mediaType) {
        throw new AppError(
          'CORRUPT',
          `a manifest of type ${raw.descriptor.mediaType} was given as ${mediaType}`,
        );
      }
      await writing(async (scratch) => {
        const path = layout.blob(source.digest);
        if (!intact(path, bytes)) await storeBlobFile(source, path, scratch, signal);
        link(scratch, layout.revisionLink(source.digest), source.digest);
        if (tag === undefined) return;
        link(scratch, layout.tagIndexLink(tag, source.digest), source.digest);
        link(scratch, layout.tagLink(tag), source.digest);
      });
      return raw.descriptor;
    },
  };
  return store;
}

function rawManifest(bytes: Buffer, digest: Digest): RawManifest {
  const mediaType = manifestMediaType(bytes, `the manifest ${digest}`);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function intact(path: string, bytes: Buffer): boolean {
  return ifExists(() => fs.readFileSync(path))?.equals(bytes) ?? false;
}
