/** Flags of unshare(2). */
export declare const CLONE: {
    readonly NEWNS: 131072;
    readonly NEWUTS: 67108864;
    readonly NEWIPC: 134217728;
    readonly NEWPID: 536870912;
    readonly NEWNET: 1073741824;
};
/** Flags of mount(2). */
export declare const MS: {
    readonly RDONLY: 1;
    readonly NOSUID: 2;
    readonly NODEV: 4;
    readonly NOEXEC: 8;
    readonly REMOUNT: 32;
    readonly BIND: 4096;
    readonly REC: 16384;
    readonly PRIVATE: number;
    readonly STRICTATIME: number;
};
/** Flag of umount2(2): detach now, clean up when no longer in use. */
export declare const MNT_DETACH = 2;
/** File type bits of st_mode. */
export declare const S_IF: {
    readonly MT: 61440;
    readonly SOCK: 49152;
    readonly LNK: 40960;
    readonly REG: 32768;
    readonly BLK: 24576;
    readonly DIR: 16384;
    readonly CHR: 8192;
    readonly IFO: 4096;
};
