import { type ContentDigest } from '../core/digest.ts';
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
export declare function dirLayout(root: string, repository: string): DirLayout;
