import { type ContentDigest } from '../core/digest.ts';
/** What a registry has to know of a manifest or an index. */
export interface PushedManifest {
    readonly mediaType: string;
    readonly subject?: ContentDigest;
    readonly artifactType?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Blobs that must be in the repository; those of layers that come from elsewhere are left out. */
    readonly blobs: readonly ManifestPart[];
    /** Manifests that must be in the repository. */
    readonly manifests: readonly ManifestPart[];
}
export interface ManifestPart {
    readonly digest: ContentDigest;
    readonly size: number;
}
/**
 * Reads a manifest or an index of either family.
 * @param contentType what it was sent as, when that is known
 * @throws RegistryError MANIFEST_INVALID
 */
export declare function parsePushedManifest(bytes: Buffer, contentType?: string): PushedManifest;
/** Reads a stored manifest; undefined when it cannot be read as one. */
export declare function tryParse(bytes: Buffer): PushedManifest | undefined;
