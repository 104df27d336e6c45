import type { Syscalls } from '../../sys/types.ts';
/** A directory that belongs to one build, and how to be rid of it. */
export interface WorkDir {
    readonly path: string;
    /**
     * Deletes the secrets and, as far as that is quick, the directory; the rest is left to `sweep`.
     * @throws AppError OUTPUT when it cannot be deleted, and nobody else will
     */
    close(): void;
}
export interface WorkDirDeps {
    readonly syscalls: () => Pick<Syscalls, 'tryLock' | 'umount'>;
    /**
     * Has another process delete what builds that have ended left in a directory, and gives its number; undefined when there
     * is none. Left out, all is deleted here.
     */
    readonly sweep?: (parent: string) => number | undefined;
    /** Milliseconds that deletion may take before it is handed over. */
    readonly patience?: number;
}
/**
 * Makes a working directory below `parent`, and has what builds that were killed left there deleted.
 * @throws AppError OUTPUT when `parent` cannot be written
 */
export declare function createWorkDir(parent: string, deps: WorkDirDeps): WorkDir;
