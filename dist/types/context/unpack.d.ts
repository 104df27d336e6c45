import type { LayerReader } from '../layer/types.ts';
import { type Links } from '../sys/beneath.ts';
import type { Syscalls } from '../sys/types.ts';
import type { LayerEntry } from '../tar/types.ts';
export interface UnpackRules {
    /** Names the archive in errors. */
    readonly what: string;
    /** What becomes of links on the way to an entry: 'in-root', or 'none' to refuse them. */
    readonly links: Extract<Links, 'in-root' | 'none'>;
    /** 'all' gives owners, modes, attributes and times; 'modes' only those of files. */
    readonly metadata: 'all' | 'modes';
    /** 'modes' needs no call but those of node:fs. */
    readonly syscalls?: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'> & Partial<Pick<Syscalls, 'openat2'>>;
    /** Called with each entry before it is written. @throws AppError for one that may not be */
    readonly check?: (entry: LayerEntry) => void;
}
/**
 * Writes the entries of an archive into an empty directory; a later entry takes the place of an earlier one of its name.
 * Nothing outside of the directory is read, written or changed, whatever links the archive makes on the way.
 * @param target named by us: links to it are followed
 * @throws AppError CORRUPT for an archive that cannot be had so; PERMISSION, DISK_FULL, OUTPUT, and what `check` throws
 */
export declare function unpackEntries(reader: LayerReader, target: string, rules: UnpackRules): Promise<void>;
