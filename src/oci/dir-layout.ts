import { join } from 'node:path';
import { type Digest, hexOf } from '../core/digest.ts';

/** Paths of CNCF Distribution's file layout ("filesystem" storage driver, layout v2) below one root and repository. */
export interface DirLayout {
  readonly root: string;
  /** `docker/registry/v2` below the root. */
  readonly base: string;
  readonly repository: string;
  /** Directory of unfinished uploads; Distribution purges old ones there by their `startedat`. */
  readonly uploads: string;
  readonly tags: string;
  blob(digest: Digest): string;
  layerLink(digest: Digest): string;
  revisionLink(digest: Digest): string;
  tagLink(tag: string): string;
  tagIndexLink(tag: string, digest: Digest): string;
}

/** @param repository a valid repository name, as parseReference gives it */
export function dirLayout(root: string, repository: string): DirLayout {
  const base = join(root, 'docker/registry/v2');
  const own = join(base, 'repositories', repository);
  const tags = join(own, '_manifests/tags');
  return {
    root,
    base,
    repository,
    uploads: join(own, '_uploads'),
    tags,
    blob: (digest) => join(base, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest), 'data'),
    layerLink: (digest) => join(own, '_layers/sha256', hexOf(digest), 'link'),
    revisionLink: (digest) => join(own, '_manifests/revisions/sha256', hexOf(digest), 'link'),
    tagLink: (tag) => join(tags, tag, 'current/link'),
    tagIndexLink: (tag, digest) => join(tags, tag, 'index/sha256', hexOf(digest), 'link'),
  };
}
