import { type ContentDigest } from '../core/digest.ts';
import type { PushedManifest } from './pushed-manifest.ts';
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
     * @param onlyNew none of the tags may be there yet; of any number who try at once, one succeeds
     * @returns false where one is, and then none is made
     * @throws RegistryError MANIFEST_BLOB_UNKNOWN, SIZE_INVALID
     */
    write(repository: string, manifest: StoredManifest, parsed: PushedManifest, { tags, onlyNew }: {
        readonly tags: readonly string[];
        readonly onlyNew: boolean;
    }): Promise<boolean>;
    /** Removes a tag; or a manifest, with all tags that name it. @returns whether it was there */
    remove(repository: string, reference: ManifestReference): Promise<boolean>;
    /** All tags in lexical order; undefined when there is no such repository. */
    tags(repository: string): readonly string[] | undefined;
    /** Digests of all manifests of a repository. */
    revisions(repository: string): readonly ContentDigest[];
}
/** The manifests of the directory that is served. */
export declare function createManifestFiles(storage: Storage): ManifestFiles;
/** The digests that are linked below a directory of links. */
export declare function linkedDigests(directory: string): readonly ContentDigest[];
