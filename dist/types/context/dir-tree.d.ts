import { type OpenPlain } from '../sys/beneath.ts';
import type { Syscalls } from '../sys/types.ts';
import type { AnswerMemo } from './answer-memo.ts';
import type { IgnoreMatcher } from './ignore-matcher.ts';
import { type NodeOptions } from './tree-node.ts';
import type { SourceTree } from './types.ts';
export interface DirectoryTreeOptions extends NodeOptions {
    readonly name: string;
    readonly ignore?: IgnoreMatcher;
    readonly answers?: AnswersOptions;
    /** How files and directories are opened; walked part by part unless something else is said. */
    readonly openPlain?: OpenPlain;
}
/** Remembers what was asked of many files at once. */
export interface AnswersOptions {
    readonly memo: AnswerMemo;
    readonly syscalls: Pick<Syscalls, 'listDirectory'>;
    /** Milliseconds since the epoch. */
    readonly now?: () => number;
}
/** A host directory as a source of files. Symlinks are never followed out of it; sockets do not exist for it. */
export declare function createDirectoryTree(options: DirectoryTreeOptions): SourceTree;
