import { join } from 'node:path';
import { algorithmOf, type ContentDigest, hexOf } from '../core/digest.ts';

/** Paths of CNCF Distribution's file layout ("filesystem" storage driver, layout v2) below one root and repository. */
export interface DirLayout {
  readonly root: string;
  /** `docker/registry/v2` below the root. */
  readonly base: string;
  readonly repository: string;
  /** Directory of unfinished uploads; Distribution purges old ones there by their `startedat`. */
  readonly uploads: string;
  readonly tags: string;
  /** Directories of links, one directory an algorithm below them. */
  readonly revisions: string;
  readonly layers: string;
  blob(digest: ContentDigest): string;
  layerLink(digest: ContentDigest): string;
  revisionLink(digest: ContentDigest): string;
  tagLink(tag: string): string;
  tagIndexLink(tag: string, digest: ContentDigest): string;
}

/** @param repository a valid repository name, as parseReference gives it */
export function dirLayout(root: string, repository: string): DirLayout {
  const base = join(root, 'docker/registry/v2');
  const own = join(base, 'repositories', repository);
  const tags = join(own, '_manifests/tags');
  const link = (parent: string, digest: ContentDigest): string =>
    join(parent, algorithmOf(digest), hexOf(digest), 'link');
  const [layers, revisions] = [join(own, '_layers'), join(own, '_manifests/revisions')];
  return {
    root,
    base,
    repository,
    uploads: join(own, '_uploads'),
    tags,
    revisions,
    layers,
    blob: (digest) => blobPath(base, digest),
    layerLink: (digest) => link(layers, digest),
    revisionLink: (digest) => link(revisions, digest),
    tagLink: (tag) => join(tags, tag, 'current/link'),
    tagIndexLink: (tag, digest) => link(join(tags, tag, 'index'), digest),
  };
}

/** The file of a blob; `base` is DirLayout.base. */
function blobPath(base: string, digest: ContentDigest): string {
  const hex = hexOf(digest);
  return join(base, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex, 'data');
}
