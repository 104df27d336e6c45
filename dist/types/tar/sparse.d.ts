import type { ByteBody, ByteSource } from './byte-source.ts';
import { type RawHeader } from './header.ts';
import type { PaxRecords } from './pax.ts';
/** Where the stored bytes of a sparse file belong; all else is zeros (GNU tar manual, "Storing Sparse Files"). */
export interface SparseMap {
    readonly size: number;
    readonly segments: readonly (readonly [offset: number, length: number])[];
    /** The file's own name, where the header has only a stand-in. */
    readonly name?: Buffer;
}
/** The sparse map of an entry in any of GNU's formats (old, 0.0, 0.1, 1.0); undefined for an ordinary file. */
export declare function parseSparse(header: RawHeader, records: PaxRecords, body: ByteBody, source: ByteSource, what: string): Promise<SparseMap | undefined>;
/** The full content of a sparse file: zeros between the stored segments. */
export declare function sparseContent(map: SparseMap, body: ByteBody): AsyncGenerator<Buffer>;
