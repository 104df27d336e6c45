import type { LayerEntry } from './types.ts';
/** Bytes of a tar block; headers and content are padded to it (POSIX.1-2017 pax, "ustar Interchange Format"). */
export declare const BLOCK = 512;
/** Padding after content of `size` bytes. */
export declare function padding(size: number): number;
/**
 * The header blocks of an entry: a plain ustar header, with a PAX header before it only for what does not fit. Same
 * entry, same bytes.
 */
export declare function encodeHeader(entry: LayerEntry): Buffer;
/** Writes the checksum into a header block, and returns the block. */
export declare function seal(block: Buffer): Buffer;
/** A header block as it stands, before PAX and GNU extensions are applied. */
export interface RawHeader {
    readonly name: Buffer;
    readonly link: Buffer;
    readonly flag: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly size: number;
    readonly mtime: number;
    readonly devmajor: number;
    readonly devminor: number;
    /** Whether the block has GNU's own layout, which alone knows sparse files of type S. */
    readonly gnu: boolean;
    readonly block: Buffer;
}
/**
 * Reads one header block; undefined for a block of zeros.
 * @throws AppError CORRUPT for a wrong checksum or a malformed number; `what` names the layer
 */
export declare function parseHeader(block: Buffer, what: string): RawHeader | undefined;
/**
 * A path as Go's filepath.Clean makes it, relative to the root: no leading or trailing `/`, no `.`, and `..` as far as
 * there is something to leave.
 * @throws AppError CORRUPT for NUL, and where `..` leaves the root
 */
export declare function cleanPath(bytes: Buffer, what: string): string;
/** A numeric field: octal text, or base 256 when its first bit is set (GNU tar, "Extensions to tar"). */
export declare function number(block: Buffer, at: number, width: number, what: string): number;
