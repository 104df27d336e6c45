import type { Digest } from './digest.ts';
/** A value that has one canonical byte string. Strings are path strings (see path-bytes), so any file name fits. */
export type Canonical = string | number | bigint | boolean | null | Uint8Array | readonly Canonical[] | {
    readonly [field: string]: Canonical | undefined;
};
/**
 * The canonical bytes of a value: every field is a tag (u8), a length (u32 BE) and its bytes; a list's length is its
 * count; a map's fields are sorted by the bytes of their names and undefined ones are left out. Two values have the same
 * bytes only when they are equal, so the bytes can be hashed into keys and signed.
 * @throws RangeError for a number that is not a safe integer
 */
export declare function canonicalBytes(value: Canonical): Buffer;
/** SHA-256 over canonicalBytes(value), which never stand in memory as a whole. */
export declare function canonicalDigest(value: Canonical): Digest;
