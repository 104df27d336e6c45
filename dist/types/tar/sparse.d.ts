import type { ByteBody, ByteSource } from './byte-source.ts';
import { type RawHeader } from './header.ts';
import type { PaxRecords } from './pax.ts';
/** Where the stored bytes of a sparse file belong; all else is zeros (GNU tar manual, "Storing Sparse Files"). */
export interface SparseMap {
    readonly size: number;
    /** Offset and length of one segment after the other. */
    readonly segments: readonly number[];
}
/** Bytes of a sparse file that are stored. */
export declare function storedOf({ segments }: SparseMap): number;
/** Whether a part of the content of a sparse file is a hole, which need not be written. */
export declare function isHole(part: Buffer): boolean;
/**
 * The sparse map of an entry in any of GNU's formats (old, 0.0, 0.1, 1.0); undefined for an ordinary file, and for a
 * format of a version that is not known, as in Go's archive/tar.
 * @throws AppError CORRUPT for a map that is malformed, or larger than LIMITS
 */
export declare function parseSparse(header: RawHeader, records: PaxRecords, body: ByteBody, source: ByteSource, what: string): Promise<SparseMap | undefined>;
/** The full content of a sparse file: zeros between the stored segments, which `isHole` tells. */
export declare function sparseContent({ size, segments }: SparseMap, body: ByteBody): AsyncGenerator<Buffer>;
