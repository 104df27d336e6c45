import type { SourceRange } from '../../core/error.ts';
import type { Source } from '../source.ts';
import { type Token } from '../text.ts';
import type { Escape } from './directives.ts';
/** Physical lines joined at their continuations, comments and empty lines in between left out. */
export interface LogicalLine {
    readonly text: string;
    /** Where the pieces of `text` come from, by offset; lines and columns count from 1. */
    readonly pieces: readonly {
        readonly offset: number;
        readonly line: number;
        readonly column: number;
    }[];
    readonly startLine: number;
    readonly endLine: number;
    /** Comments right above, without `#`; a bare `#` starts them afresh. */
    readonly comments: readonly string[];
    /** Empty lines between continuations, which BuildKit deprecates. */
    readonly emptyLines: readonly number[];
}
/** A position in a source's lines; `next` counts from 0 and moves as lines are read. */
export interface Cursor {
    readonly source: Source;
    next: number;
}
/** Reads the next logical line; undefined at the end of the file. */
export declare function readLogicalLine(cursor: Cursor, escapeChar: Escape): LogicalLine | undefined;
/** The range of a token of this line. */
export declare function tokenRange(source: Source, line: LogicalLine, token: Token): SourceRange;
