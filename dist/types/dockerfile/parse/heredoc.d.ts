import type { Heredoc } from '../types.ts';
import { type Cursor, type LogicalLine } from './logical-line.ts';
/** What a word such as `<<EOF`, `3<<-"EOF"` says about the document to come. */
export type HeredocStart = Pick<Heredoc, 'name' | 'expand' | 'chomp' | 'fd'>;
/**
 * Reads a text that is nothing but the start of a heredoc; undefined for any other text. Use it on a RUN's line to tell
 * `RUN <<EOF` (the document is the script) from a command with a heredoc in it.
 */
export declare function heredocStart(text: string): HeredocStart | undefined;
/** The heredocs that a logical line starts, left to right; a line whose quotes do not match starts none. */
export declare function heredocStarts(text: string): HeredocStart[];
/**
 * Reads the documents behind a line, moving the cursor past their terminators.
 * @throws AppError DOCKERFILE for one that has no terminator
 */
export declare function readHeredocs(cursor: Cursor, line: LogicalLine, starts: readonly HeredocStart[]): Heredoc[];
