/** A content digest, `sha256:` and 64 lower-case hex digits (OCI image spec, "Digests"). */
export type Digest = `sha256:${string}`;
/** A digest by any algorithm that registries must know; we write sha256 alone. */
export type ContentDigest = Digest | `sha512:${string}`;
/** The digest of bytes or of a UTF-8 string. */
export declare function digestOf(bytes: Uint8Array | string): Digest;
/** Whether a string is a well-formed sha256 digest. */
export declare function isDigest(value: string): value is Digest;
/** Whether bytes have a digest. */
export declare function matchesDigest(bytes: Uint8Array, digest: ContentDigest): boolean;
/**
 * @throws AppError CORRUPT when `value` is not a sha256 digest; `what` names it in the message
 */
export declare function parseDigest(value: string, what: string): Digest;
/** Whether a string is a well-formed digest by sha256 or sha512. */
export declare function isContentDigest(value: string): value is ContentDigest;
/** The algorithm of a digest, as node:crypto names it. */
export declare function algorithmOf(digest: ContentDigest): 'sha256' | 'sha512';
/** The hex part of a digest. */
export declare function hexOf(digest: ContentDigest): string;
