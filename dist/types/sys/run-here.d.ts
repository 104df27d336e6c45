import type { Runner } from './run.ts';
import type { Syscalls } from './types.ts';
/**
 * Runs commands in our own root and namespaces: in a session of their own, with their own user, groups, environment and
 * directory, and at most Docker's default capabilities. When a command ends, or the signal aborts, or we are killed, every
 * process that it left is gone. The spec's root, mounts and host name are not looked at.
 * @returns a runner that throws AppError BUILD_FAILED when the command cannot be started, PERMISSION for what needs a right
 * that the container does not have
 */
export declare function createHereRunner(syscalls: Pick<Syscalls, 'effectiveCapabilities'>): Runner;
