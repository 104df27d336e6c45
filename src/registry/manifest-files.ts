import { join } from 'node:path';
import { leasedTag, leasedTags, leaseTag } from '../cache/leases.ts';
import { type ContentDigest, isContentDigest, matchesDigest } from '../core/digest.ts';
import { fileSize, ifExists, moveInto, readSmallFile } from '../oci/blob-file.ts';
import { markUsed } from '../oci/dir-keep.ts';
import { createLink, placeLink, readLink, removeLink, removeTag } from '../oci/dir-link.ts';
import { withScratch } from '../oci/dir-scratch.ts';
import { isTag } from '../oci/reference.ts';
import { isThere, namesPlain, removePlain, writeNewPlain } from '../sys/plain.ts';
import { storedSize } from './blobs.ts';
import type { PushedManifest } from './pushed-manifest.ts';
import { RegistryError } from './registry-error.ts';
import type { ManifestReference, Storage } from './types.ts';

/** A manifest with its bytes, which match its digest. */
export interface StoredManifest {
  readonly digest: ContentDigest;
  readonly bytes: Buffer;
}

/** The manifests and tags of the repositories. */
export interface ManifestFiles {
  /** The manifest that a tag or a digest names; a damaged one counts as absent. */
  read(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined>;
  /**
   * Stores a manifest whose parts the repository holds, under its digest and these tags.
   * What is stored under a tag ends the lease on it, unless that is for other tags as well.
   * @param onlyNew none of the tags may be there yet, nor what they are leases on; of any number who try at once, one succeeds
   * @returns false where one is, and then none is made
   * @throws RegistryError MANIFEST_BLOB_UNKNOWN, SIZE_INVALID
   */
  write(
    repository: string,
    manifest: StoredManifest,
    parsed: PushedManifest,
    { tags, onlyNew }: { readonly tags: readonly string[]; readonly onlyNew: boolean },
  ): Promise<boolean>;
  /** Removes a tag; or a manifest, with all tags that name it. @returns whether it was there */
  remove(repository: string, reference: ManifestReference): Promise<boolean>;
  /** All tags in lexical order; undefined when there is no such repository. */
  tags(repository: string): readonly string[] | undefined;
  /** Digests of all manifests of a repository. */
  revisions(repository: string): readonly ContentDigest[];
}

/** The manifests of the directory that is served. */
export function createManifestFiles(storage: Storage): ManifestFiles {
  const tags = (repository: string): readonly string[] | undefined => {
    const layout = storage.layout(repository);
    const names = ifExists(() => namesPlain(layout.tags));
    if (names === undefined) return isThere(join(layout.layers, '..')) ? [] : undefined;
    return names.filter((name) => isTag(name) && fileSize(layout.tagLink(name)) !== undefined).sort(lexical);
  };

  const checkParts = (repository: string, parsed: PushedManifest): void => {
    const layout = storage.layout(repository);
    const check = (digest: ContentDigest, size: number, link: string): void => {
      const stored = isThere(link) ? storedSize(layout.blob(digest), digest) : undefined;
      if (stored === undefined) {
        throw new RegistryError(400, 'MANIFEST_BLOB_UNKNOWN', 'the manifest names what is not there', {
          detail: { digest },
        });
      }
      if (stored !== size) {
        throw new RegistryError(400, 'SIZE_INVALID', `the manifest gives a wrong size for ${digest}`, {
          detail: { digest, size: stored },
        });
      }
    };
    for (const { digest, size } of parsed.blobs) check(digest, size, layout.layerLink(digest));
    for (const { digest, size } of parsed.manifests) check(digest, size, layout.revisionLink(digest));
  };

  return {
    tags,
    read: async (repository, reference) => {
      const layout = storage.layout(repository);
      const link =
        reference.type === 'tag' ? layout.tagLink(reference.tag) : layout.revisionLink(reference.digest);
      const found = await storage.lock.shared(() => {
        const digest = readLink(link);
        if (digest === undefined || !isThere(layout.revisionLink(digest))) return undefined;
        const path = layout.blob(digest);
        markUsed(link, layout.revisionLink(digest), path);
        const bytes = ifExists(() => readSmallFile(path));
        return bytes && { digest, bytes };
      });
      if (found === undefined) return undefined;
      const { digest, bytes } = found;
      if (matchesDigest(bytes, digest)) return { digest, bytes };
      await storage.lock.shared(() => removePlain(layout.blob(digest)));
      storage.emit({
        type: 'warning',
        code: 'CORRUPT',
        text: `the manifest ${digest} of ${repository} was damaged on disk and is removed`,
      });
      return undefined;
    },
    write: async (repository, { digest, bytes }, parsed, { tags: names, onlyNew }) => {
      const layout = storage.layout(repository);
      /** A tag of another manifest, or a record that a tag is the lease on. */
      const isTaken = (tag: string): boolean => {
        const leased = leasedTag(tag);
        return (
          (readLink(layout.tagLink(tag)) ?? digest) !== digest ||
          (leased !== undefined && fileSize(layout.tagLink(leased)) !== undefined)
        );
      };
      /** Whether a lease is for more than the record of its tag: as one of a client whose conditions do not reach us. */
      const isForMore = (lease: string): boolean => {
        const held = readLink(layout.tagLink(lease));
        const manifest = held && ifExists(() => readSmallFile(layout.blob(held)));
        return manifest !== undefined && leasedTags(lease, manifest).some((tag) => tag !== leasedTag(lease));
      };
      const nameNew = (scratch: string): boolean => {
        for (const [i, tag] of names.entries()) {
          if (!isTaken(tag) && createLink(scratch, layout.tagLink(tag), digest)) continue;
          for (const made of names.slice(0, i)) removeTag(layout, made);
          return false;
        }
        return true;
      };
      if (onlyNew && names.some(isTaken)) return false;
      return withScratch(layout.uploads, async (scratch) => {
        const staged = join(scratch, 'data');
        writeNewPlain(staged, bytes, { flush: true });
        return storage.lock.shared((collection) => {
          checkParts(repository, parsed);
          storage.marks.mark(layout, bytes, collection);
          moveInto(staged, layout.blob(digest));
          placeLink(scratch, layout.revisionLink(digest), digest);
          if (onlyNew && !nameNew(scratch)) return false;
          for (const tag of names) {
            placeLink(scratch, layout.tagIndexLink(tag, digest), digest);
            placeLink(scratch, layout.tagLink(tag), digest);
            if (leasedTag(leaseTag(tag)) !== undefined && !isForMore(leaseTag(tag)))
              removeTag(layout, leaseTag(tag));
          }
          return true;
        });
      });
    },
    remove: (repository, reference) => {
      const layout = storage.layout(repository);
      return storage.lock.shared(() => {
        if (reference.type === 'tag') return removeTag(layout, reference.tag);
        for (const tag of tags(repository) ?? []) {
          if (readLink(layout.tagLink(tag)) === reference.digest) removeTag(layout, tag);
        }
        return removeLink(layout.revisionLink(reference.digest));
      });
    },
    revisions: (repository) => linkedDigests(storage.layout(repository).revisions),
  };
}

/** The digests that are linked below a directory of links. */
export function linkedDigests(directory: string): readonly ContentDigest[] {
  return ['sha256', 'sha512'].flatMap((algorithm) =>
    (ifExists(() => namesPlain(join(directory, algorithm))) ?? [])
      .map((hex) => `${algorithm}:${hex}`)
      .filter((digest): digest is ContentDigest => isContentDigest(digest))
      .filter((digest) => isThere(join(directory, algorithm, digest.slice(7), 'link'))),
  );
}

function lexical(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  if (x !== y) return x < y ? -1 : 1;
  return a < b ? -1 : 1;
}
