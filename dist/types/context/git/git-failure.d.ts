import type { GitFailureKind } from './types.ts';
/** What kind of failure the messages of git tell of. */
export declare function gitFailureKind(messages: readonly string[]): GitFailureKind;
/** The one line of git's messages that says what is wrong. */
export declare function gitReason(messages: readonly string[]): string;
