import type { RunMount, Syscalls } from '../sys/types.ts';
/** Mounts whose targets exist and are free of symlinks, and how to undo what was made for them. */
export interface PreparedMounts {
    readonly mounts: readonly RunMount[];
    /** Removes what was made for the mounts, unless the RUN put something into it. */
    undo(): void;
}
/**
 * Makes the mount points of a RUN in its root where they are missing: /proc, /dev and /sys, which stay, as under Docker,
 * and the targets of its mounts. Those are removed again after the RUN, with their parents' times as they were, so they
 * never enter a layer. Mount points below other mounts are left to whoever mounts. Links lead nowhere but into the root,
 * those that the RUN made in the meantime too.
 * @throws AppError BUILD_FAILED where something else is in the way
 */
export declare function prepareMountPoints(root: string, mounts: readonly RunMount[], syscalls?: Pick<Syscalls, 'openat2'>): PreparedMounts;
