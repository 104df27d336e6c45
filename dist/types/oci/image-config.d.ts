import type { ImageConfig } from './types.ts';
/**
 * Parses and validates an image config (OCI image spec, "Image Configuration", with Docker's fields). Fields that are null
 * or unknown are dropped; a config without layers has no diff IDs.
 * @param what names the config in errors
 * @throws AppError CORRUPT
 */
export declare function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig;
