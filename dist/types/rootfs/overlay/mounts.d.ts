import type { Syscalls } from '../../sys/types.ts';
/** Overlay mounts below one directory, remembered so that none is left behind. */
export interface OverlayMounts {
    /** @param lowers lowest first */
    mount(lowers: readonly string[], top: {
        readonly upper: string;
        readonly work: string;
    }, target: string): void;
    /** Gives `target`. */
    mountReadOnly(lowers: readonly string[], target: string): string;
    unmount(target: string): void;
    unmountAll(flags: number): void;
}
/** @param workDir an existing directory for links and intermediate mount points; its path should be short */
export declare function createOverlayMounts(syscalls: Pick<Syscalls, 'mount' | 'umount'>, workDir: string): OverlayMounts;
