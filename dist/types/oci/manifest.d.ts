import * as v from 'valibot';
import type { Index, Manifest } from './types.ts';
/** A parsed document under a tag or digest: an image's manifest, or an index of manifests. */
export type ManifestDocument = {
    readonly kind: 'manifest';
    readonly manifest: Manifest;
} | {
    readonly kind: 'index';
    readonly index: Index;
};
/**
 * Parses and validates an image manifest or an index of either family. Fields that are null or unknown are dropped.
 * @param what names the document in errors
 * @param mediaType as the registry gave it; the document's own wins only where they agree
 * @throws AppError CORRUPT when the document is malformed, or could be read as two different things (CVE-2021-41190)
 */
export declare function parseManifestDocument(bytes: Uint8Array, what: string, mediaType?: string): ManifestDocument;
/** The media type of a manifest or index by its content. @throws AppError CORRUPT */
export declare function manifestMediaType(bytes: Uint8Array, what: string): string;
/** Parses JSON that must be an object. @throws AppError CORRUPT */
export declare function parseJson(bytes: Uint8Array, what: string): Record<string, unknown>;
/** Validates with valibot; the error names the first wrong field. @throws AppError CORRUPT */
export declare function validate<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T;
/** A copy without the fields that are null or undefined, at any depth. */
export declare function withoutNulls(value: unknown): object;
