import type { SourceRange } from '../../core/error.ts';
import { type Source } from '../source.ts';
import { type Token } from '../text.ts';
import type { Heredoc } from '../types.ts';
import type { Escape } from './directives.ts';
import { type Cursor, type LogicalLine } from './logical-line.ts';
/** An instruction taken apart as far as all instructions are alike. */
export interface Statement {
    readonly source: Source;
    readonly escape: Escape;
    readonly line: LogicalLine;
    readonly keyword: Token;
    /** The words that begin with `--`, quotes removed. */
    readonly flags: readonly Token[];
    /** Everything behind the flags, trimmed. */
    readonly rest: Token;
    readonly heredocs: readonly Heredoc[];
    readonly range: SourceRange;
}
/** Reads all instructions behind the directives. */
export declare function readStatements(cursor: Cursor, escapeChar: Escape): Statement[];
/** What follows an ONBUILD, as a statement of its own with the same heredocs. */
export declare function innerStatement(statement: Statement): Statement;
/** The instruction's name in lower case. */
export declare function keywordOf(statement: Statement): string;
/** The part that every node shares: where it stands and what it says on one line. */
export declare function nodeOf(statement: Statement): {
    range: SourceRange;
    text: string;
};
/** Throws AppError DOCKERFILE at a token of the statement, or at the whole of it. */
export declare function fail(statement: Statement, token: Token | undefined, message: string, hint?: string): never;
/** The place of a token, for errors that others throw. */
export declare function whereOf(statement: Statement, token: Token): import("../../core/error.ts").Where;
