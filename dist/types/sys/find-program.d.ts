import type { InitFailure } from './run-types.ts';
/** Whose rights decide. */
export interface Who {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
}
/** A program that was found in this process's root. */
export interface FoundProgram {
    readonly path: string;
    /** It, or the interpreter that it names, is a program for another machine: the kernel may still know how to run it. */
    readonly foreign: boolean;
}
/**
 * The file that a command's first word names in this process's root, as runc finds it, checked so that starting it can
 * hardly fail: the reason is then better than what execve(2) says. A directory of PATH that the user may not enter holds
 * nothing for him.
 * @param who decides what may be executed; by modes alone
 */
export declare function findProgram(word: string, path: string, cwd: string, who?: Who): FoundProgram | InitFailure;
