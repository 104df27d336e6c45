import type { Toc } from './types.ts';
/** An entry without the names of its fields, which a table of a million entries would repeat a million times. */
type Row = [
    path: string,
    type: number,
    mode: number,
    uid: number,
    gid: number,
    size: number,
    mtime: number,
    nsec: number,
    link: string,
    major: number,
    minor: number,
    content: number,
    digest: string,
    xattrs?: [string, string][]
];
type FrameRow = [offset: number, length: number, tarOffset: number, tarLength: number, digest: string];
/** A table of contents as it is written. */
export interface TocRows {
    readonly frames: readonly FrameRow[];
    readonly entries: readonly Row[];
}
/** The rows of a table, to be written as JSON. */
export declare function toRows({ frames, entries }: Toc): TocRows;
/** @throws AppError CORRUPT for a row that is malformed, or names a path outside of the layer's root */
export declare function fromRows({ frames, entries }: TocRows): Toc;
export {};
