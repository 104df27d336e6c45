import { dirname } from 'node:path';
import { type Digest, digestOf, isDigest, parseDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { isThere, namesPlain, readPlainFile, realPathOf, removePlain } from '../sys/plain.ts';
import {
  fileSize,
  ifExists,
  moveInto,
  readBlobFile,
  readBlobInto,
  readSmallBlob,
  stageBlob,
} from './blob-file.ts';
import { bytesSource } from './blob-source.ts';
import { checkDirectory, directoryError } from './dir-check.ts';
import { createReachMarks, markUsed } from './dir-keep.ts';
import { dirLayout } from './dir-layout.ts';
import { createLink, LONGEST_LINK, placeLink, readLink, removeLink, removeTag } from './dir-link.ts';
import { createDirectoryLock } from './dir-lock.ts';
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
  const layout = dirLayout(realPathOf(root), repository);
  const damaged = new Set<Digest>();
  const lock = createDirectoryLock(root);
  const marks = createReachMarks();
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
  const digestOfTag = (tag: string): Digest | undefined => {
    const path = layout.tagLink(tag);
    const text = ifExists(() => readPlainFile(path, LONGEST_LINK).toString('latin1'));
    return text === undefined ? undefined : parseDigest(text.trim(), `the tag ${tag} in ${root}`);
  };

  /** @param name gives the manifest its name, under the lock; whether it has it then */
  const placeManifest = async (
    bytes: Buffer,
    mediaType: string,
    signal: AbortSignal | undefined,
    name: (scratch: string, digest: Digest) => boolean,
  ): Promise<{ readonly raw: RawManifest; readonly placed: boolean }> => {
    const source = bytesSource(bytes);
    const raw = rawManifest(bytes, source.digest);
    if (raw.descriptor.mediaType !== mediaType) {
      throw new AppError(
        'CORRUPT',
        `a manifest of type ${raw.descriptor.mediaType} was given as ${mediaType}`,
      );
    }
    const placed = await writing(async (scratch) => {
      const staged = await stageBlob(source, scratch, signal);
      return lock.shared((collection) => {
        marks.mark(layout, bytes, collection);
        moveInto(staged, layout.blob(source.digest));
        placeLink(scratch, layout.revisionLink(source.digest), source.digest);
        return name(scratch, source.digest);
      });
    });
    return { raw, placed };
  };

  const store: Store = {
    name: `${root} (${repository})`,
    has: async (digest) => {
      const link = layout.layerLink(digest);
      if (fileSize(link) === undefined) return undefined;
      return lock.shared(() => {
        markUsed(link, layout.blob(digest));
        return fileSize(link) === undefined ? undefined : sizeOf(digest);
      });
    },
    get: async (digest, range, signal) =>
      readBlobFile(layout.blob(digest), digest, range, () => damaged.add(digest), signal),
    readInto: (digest, offset, into) => readBlobInto(layout.blob(digest), digest, offset, into),
    put: async (source, signal) => {
      const { digest, anew = false } = source;
      const link = layout.layerLink(digest);
      if (!anew && (await store.has(digest)) === source.size) return 'exists';
      return writing(async (scratch) => {
        const linkStored = () => {
          if (sizeOf(digest) !== source.size) return false;
          markUsed(layout.blob(digest));
          placeLink(scratch, link, digest);
          return true;
        };
        if (!anew && (await lock.shared(linkStored))) return 'mounted';
        const staged = await stageBlob(source, scratch, signal);
        await lock.shared(() => {
          moveInto(staged, layout.blob(digest));
          placeLink(scratch, link, digest);
        });
        damaged.delete(digest);
        return 'stored';
      });
    },
    resolve: async (tagOrDigest) => {
      const find = (): Digest | undefined => {
        const tagged = !isDigest(tagOrDigest);
        if (tagged && !isTag(tagOrDigest)) return undefined;
        const digest = tagged ? digestOfTag(tagOrDigest) : tagOrDigest;
        if (digest === undefined || fileSize(layout.revisionLink(digest)) === undefined) return undefined;
        markUsed(layout.revisionLink(digest), layout.blob(digest));
        if (tagged) markUsed(layout.tagLink(tagOrDigest));
        return digest;
      };
      const digest = ifExists(() => isThere(layout.base)) ? await lock.shared(find) : find();
      if (digest === undefined) return undefined;
      const bytes = readSmallBlob(layout.blob(digest), digest);
      return bytes && rawManifest(bytes, digest);
    },
    tag: async (bytes, mediaType, tag, signal) => {
      if (tag !== undefined) checkTag(tag);
      const { raw } = await placeManifest(bytes, mediaType, signal, (scratch, digest) => {
        if (tag === undefined) return true;
        placeLink(scratch, layout.tagIndexLink(tag, digest), digest);
        placeLink(scratch, layout.tagLink(tag), digest);
        return true;
      });
      return raw.descriptor;
    },
    create: async (bytes, mediaType, tags, signal) => {
      tags.forEach(checkTag);
      const digest = digestOf(bytes);
      const isOther = (tag: string): boolean => (readLink(layout.tagLink(tag)) ?? digest) !== digest;
      if (tags.some(isOther)) return 'exists';
      const { placed } = await placeManifest(bytes, mediaType, signal, (scratch) => {
        for (const [i, tag] of tags.entries()) {
          if (createLink(scratch, layout.tagLink(tag), digest)) continue;
          for (const made of tags.slice(0, i)) removeTag(layout, made);
          return false;
        }
        for (const tag of tags) placeLink(scratch, layout.tagIndexLink(tag, digest), digest);
        return true;
      });
      return placed ? 'created' : 'exists';
    },
    listTags: async () =>
      (ifExists(() => namesPlain(layout.tags)) ?? []).filter(
        (name) => isTag(name) && fileSize(layout.tagLink(name)) !== undefined,
      ),
    creates: () => true,
    drop: async (tag, digest) => {
      checkTag(tag);
      try {
        return await lock.shared(() => {
          if (readLink(layout.tagLink(tag)) !== digest) return true;
          removeTag(layout, tag);
          removeLink(layout.revisionLink(digest));
          removePlain(dirname(layout.blob(digest)));
          return true;
        });
      } catch (error) {
        throw directoryError(error, root);
      }
    },
  };
  return store;
}

/** @throws AppError REFERENCE */
function checkTag(tag: string): void {
  if (!isTag(tag)) throw new AppError('REFERENCE', `"${tag.slice(0, 200)}" is not a tag`);
}

function rawManifest(bytes: Buffer, digest: Digest): RawManifest {
  const mediaType = manifestMediaType(bytes, `the manifest ${digest}`);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}
