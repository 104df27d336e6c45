/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
    readonly device: string;
    /** What of its file system is mounted: `/` is all of it. */
    readonly root: string;
    readonly mountPoint: string;
    readonly readonly: boolean;
    /** Mounts made here appear in other namespaces too. */
    readonly shared: boolean;
    readonly fsType: string;
    readonly source: string;
}
/** The mounts that this process sees, in the order in which they were made; points that are no longer reachable too. */
export declare function readMountTable(): MountEntry[];
/** @param bytes the content of a mountinfo file */
export declare function parseMountTable(bytes: Buffer): MountEntry[];
