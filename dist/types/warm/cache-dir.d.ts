import type { Syscalls } from '../sys/types.ts';
/** A cache of base images that this process alone writes to. */
export interface WarmDirectory {
    /** A new directory on the same file system; removed at the end. */
    scratch(): string;
    close(): void;
}
/**
 * Opens a cache for writing, and clears up after those that were killed. Readers are never kept out. Where the file system
 * knows no locks, the directory is used without.
 * @throws AppError OUTPUT when it cannot be written; ABORTED by the signal while another process has it
 */
export declare function openWarmDirectory(dir: string, { layout, sys, signal, onWait, }: {
    readonly layout: boolean;
    readonly sys: Pick<Syscalls, 'tryLock'>;
    readonly signal: AbortSignal;
    readonly onWait: () => void;
}): Promise<WarmDirectory>;
