import type { Emit } from '../../core/events.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { LayerEntry } from '../../tar/types.ts';
export interface WriterDeps {
    readonly sys: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
    readonly emit: Emit;
}
/** Gives owners, modes, times and extended attributes to what the tree writer makes. */
export interface MetaWriter {
    /** Bits of a mode that creating a file does not give it: the umask, and those that chown takes away. */
    readonly lostBits: number;
    /** Owner, mode, extended attributes and times of an open file that was created with `entry.mode`, after its content. */
    file(fd: number, path: string, entry: LayerEntry): void;
    /** The same by path, for anything but a regular file; `madeMode` is what it has on disk, undefined for a symlink. */
    other(path: string, entry: LayerEntry, madeMode: number | undefined): void;
}
/**
 * @param deps without `sys` entries must have no attributes and plain times
 * @param privileged restore owners and all extended attributes; without it only those of the `user.` namespace
 */
export declare function createMetaWriter(privileged: boolean, deps: {
    readonly sys: WriterDeps['sys'] | undefined;
    readonly emit: Emit;
}): MetaWriter;
