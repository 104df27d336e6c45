import type { RawHeader } from './header.ts';
/** PAX records by keyword; values are raw bytes. */
export type PaxRecords = Map<string, Buffer>;
/** What PAX records can override in a header. */
export interface PaxFacts {
    readonly path: Buffer;
    readonly link: Buffer;
    readonly uid: number;
    readonly gid: number;
    readonly size: number;
    readonly mtime: number;
    readonly mtimeNsec: number;
    readonly xattrs: ReadonlyMap<string, Buffer>;
}
/**
 * Adds the records of a PAX header; one with an empty value has no effect but for attributes, which may be empty
 * (POSIX.1-2017 pax, "pax Header Block", as Go's archive/tar reads it).
 * @throws AppError CORRUPT for a malformed record
 */
export declare function parsePax(bytes: Buffer, into: PaxRecords, what: string): void;
/** The header's facts with the records applied. */
export declare function applyPax(header: RawHeader, records: PaxRecords, what: string): PaxFacts;
