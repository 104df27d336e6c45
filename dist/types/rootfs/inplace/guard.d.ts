import { type MountEntry } from '../../sys/mount-table.ts';
export interface GuardRequest {
    /** Where our program lies: `/.envbuilder`. */
    readonly ownDir: string;
    /** The value of KANIKO_DIR, which our image sets to `ownDir`. */
    readonly kanikoDir: string | undefined;
    /** Leaves out the check of KANIKO_DIR, and no other; the countdown is the caller's. */
    readonly force: boolean;
}
/** What is known about the root file system that is to be replaced. */
export interface RootFacts {
    readonly mounts: readonly MountEntry[];
    /** Real path of the running program. */
    readonly program: string;
    /** `ownDir` is a directory, and no symlink. */
    readonly ownDirExists: boolean;
    /** Process 1 has our mounts, but another root. */
    readonly chrooted: boolean;
    /** Process numbers are those of the machine itself. */
    readonly hostProcesses: boolean;
}
/**
 * Refuses to go on unless the root file system is that of a container of our own, which holds our program and nothing of
 * its machine: a host, a chroot and a container that shares its root with the host are refused.
 * @throws AppError UNSAFE saying which sign is missing; PERMISSION when the root is read-only
 */
export declare function assertSafe({ ownDir, kanikoDir, force }: GuardRequest, facts?: RootFacts): void;
