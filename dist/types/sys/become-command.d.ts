import type { UserCommand } from './run-as.ts';
import type { InitFailure } from './run-types.ts';
/**
 * Replaces this process by a command, with that user's identity, nothing of ours open, and every signal at its default.
 * It returns only when the command cannot be started; the process may have changed its user and directory by then.
 * @throws Error when the identity cannot be taken
 */
export declare function becomeCommand({ argv, env, cwd, uid, gid, groups }: UserCommand): InitFailure;
/** Enters a directory. @returns why it cannot be entered; undefined when it was */
export declare function enterDirectory(directory: string): string | undefined;
