import { type SourceRange, type Where } from '../core/error.ts';
/** A file as physical lines, without line ends and byte order mark. */
export interface Source {
    readonly file: string;
    readonly lines: readonly string[];
}
/**
 * Splits a source at its line feeds; one carriage return before each is dropped, so files from Windows mean the same.
 * Bytes that are not UTF-8 become path strings, so that file names in COPY survive.
 */
export declare function readSource(content: Buffer | string, file: string): Source;
/** The range of whole lines, counted from 1, both included. */
export declare function linesRange(source: Source, first: number, last: number): SourceRange;
/** A range with the source line that it starts on. */
export declare function whereIn(source: Source, range: SourceRange): Where;
/** Throws AppError DOCKERFILE at a range. */
export declare function failAt(source: Source, range: SourceRange, message: string, hint?: string): never;
