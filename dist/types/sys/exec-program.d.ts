import type { FoundProgram } from './find-program.ts';
import type { InitFailure } from './run-types.ts';
import type { Syscalls } from './types.ts';
/**
 * Replaces this process by a program. It returns only when that cannot be started, with the reason; a program for this
 * machine whose start the kernel refuses after all ends the process.
 */
export declare function execProgram(syscalls: Syscalls, program: FoundProgram, argv: readonly string[], env: Readonly<Record<string, string>>): InitFailure;
/**
 * What it means that the kernel refused to start a program.
 * @param uid of the user who may not be allowed to, where that is not ours
 */
export declare function refusal({ path, foreign }: FoundProgram, { code, message }: NodeJS.ErrnoException, uid?: number): InitFailure;
