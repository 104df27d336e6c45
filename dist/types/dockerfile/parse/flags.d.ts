import type { Token } from '../text.ts';
import type { Flag } from '../types.ts';
import { type Statement } from './statement.ts';
/** What the flags of an instruction may be: a boolean, one value, or a value each time it is given. */
export type FlagKinds = Readonly<Record<string, 'boolean' | 'value' | 'values'>>;
/** Flags as given; `token` is the place for errors. */
export interface Flags {
    has(name: string): boolean;
    /** The value; undefined when the flag was not given or is empty. */
    value(name: string): string | undefined;
    values(name: string): readonly GivenFlag[];
    isTrue(name: string): boolean;
}
export interface GivenFlag extends Flag {
    readonly token: Token;
}
/**
 * Checks the flags of a statement against those that its instruction knows.
 * @throws AppError DOCKERFILE for an unknown flag, one given twice, a missing value, a boolean that is neither true nor false
 */
export declare function readFlags(statement: Statement, kinds: FlagKinds): Flags;
/** For instructions that take no flags at all. */
export declare function rejectFlags(statement: Statement): void;
