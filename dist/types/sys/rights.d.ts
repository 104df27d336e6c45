import type { Syscalls } from './types.ts';
/**
 * Checks that steps can be run with overlay mounts.
 * @throws AppError PERMISSION naming what is missing
 */
export declare function requireBuildRights({ syscalls, }: {
    readonly syscalls: Pick<Syscalls, 'effectiveCapabilities'>;
}): void;
