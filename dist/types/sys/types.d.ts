/** Mount flags and the like are the kernel's numbers (see constants.ts). Paths are path strings (core/path-bytes). Every call throws an Error with `errno`-style `code` (`EPERM`), `syscall` and `path` set, as node:fs does. */
export interface Syscalls {
    mount(source: string, target: string, fstype: string, flags: number, data?: string): void;
    umount(target: string, flags?: number): void;
    chroot(path: string): void;
    pivotRoot(newRoot: string, putOld: string): void;
    unshare(flags: number): void;
    /** Moves the calling thread into the namespace of an open file of /proc/PID/ns; for CLONE_NEWPID, its next children. */
    setNamespace(fd: number, flag: number): void;
    sethostname(name: string): void;
    /** @param mode file type bits and permissions (S_IFCHR | 0o666) */
    mknod(path: string, mode: number, major: number, minor: number): void;
    /** Names of the extended attributes of a path itself (no symlink is followed); [] where the file system has none. */
    listXattrs(path: string): string[];
    getXattr(path: string, name: string): Buffer | undefined;
    setXattr(path: string, name: string, value: Buffer): void;
    removeXattr(path: string, name: string): void;
    /** Sets the times of the path itself (utimensat with AT_SYMLINK_NOFOLLOW); whole seconds and nanoseconds. */
    lutimes(path: string, mtimeSec: number, mtimeNsec: number): void;
    /** The same for an open file. */
    futimes(fd: number, mtimeSec: number, mtimeNsec: number): void;
    /**
     * Lists a directory with the facts of everything in it, in as few calls as can be. What vanishes meanwhile is left out.
     * @param open opens the directory in another way than by its path, links before its last part among it
     * @returns memory that the next call uses again
     */
    listDirectory(path: string, open?: (path: string, flags: number) => number): DirectoryListing;
    /**
     * Opens a path below a directory (openat2(2)).
     * @param at a descriptor of the directory
     * @param flags of open(2), @param mode of a file that is made, else 0, @param resolve RESOLVE_* of openat2(2)
     * @returns a descriptor
     */
    openat2(at: number, path: string, flags: number, mode: number, resolve: number): number;
    /** The data segments of an open file by SEEK_DATA/SEEK_HOLE: [offset, length]; the whole file where not supported. */
    dataSegments(fd: number, size: number): [number, number][];
    /** Limits what the calling thread can have after its next execve to these capability numbers (its bounding set). */
    setCapabilities(caps: readonly number[]): void;
    /** Effective capability set of this process as a bit mask. */
    effectiveCapabilities(): bigint;
    /** Takes a lock on an open file unless another one forbids it (flock(2)), exclusive by default; closing the file releases it. */
    tryLock(fd: number, mode?: 'exclusive' | 'shared'): boolean;
    /**
     * Tells the file system that the directories in this one have nothing to do with each other, so that it places them apart
     * (`chattr +T` of ext4).
     * @returns whether it took the hint; others than ext4 do not
     */
    spreadDirectories(path: string): boolean;
    /** Brings the loopback interface of the calling thread's network namespace up. */
    loopbackUp(): void;
    /** Has the kernel send this signal to this process when the thread that started it ends. */
    dieWithParent(signal: number): void;
    /** Has every descriptor from this one on closed by execve(2). */
    closeOnExec(from: number): void;
    /** Gives every signal its default disposition back; Node ignores two, and an ignored signal stays so over execve(2). */
    defaultSignals(): void;
    /** Has reads and writes of a descriptor wait again; Node sets the opposite for pipes and terminals, and it is shared. */
    setBlocking(fd: number): void;
    /** As process.execve, which ends the process without a word where the kernel refuses; this throws. */
    execve(path: string, argv: readonly string[], env: Readonly<Record<string, string>>): never;
    /**
     * Takes the exit codes of every child that has ended, those that were handed to process 1 among them.
     * @returns whether any child is left
     */
    reapChildren(): boolean;
    /** Has orphans among this process's descendants become its own children. */
    adoptOrphans(): void;
    /** Closes /proc/PID/{environ,mem,fd,…} of this process to everybody without CAP_SYS_PTRACE, until the next execve(2). */
    hideProcess(): void;
    setCredentials(uid: number, gid: number, groups: readonly number[]): void;
}
/** What is in a directory, in the order in which the file system lists it. */
export interface DirectoryListing {
    readonly count: number;
    /** The names as they are on disk, each with a NUL behind it. */
    readonly names: Buffer;
    /** A row for each name, see path-facts.ts. */
    readonly rows: Uint32Array;
}
/** A mount inside the root of a RUN. */
export type RunMount = {
    readonly type: 'bind';
    /** A host path, of which the last part is no link, or a path inside `within`. */
    readonly source: string;
    /** A directory that links of `source` are resolved in, at the moment of the mount. */
    readonly within?: string;
    readonly target: string;
    readonly readonly: boolean;
} | {
    readonly type: 'tmpfs';
    readonly target: string;
    readonly size?: number;
    readonly mode?: number;
};
/** A command in its own mount, PID, UTS and IPC namespaces over `root`. */
export interface RunSpec {
    /** Host path of the (already mounted) root file system. */
    readonly root: string;
    readonly argv: readonly string[];
    /** The whole environment; nothing of ours is inherited. */
    readonly env: Readonly<Record<string, string>>;
    /** Absolute inside the root; exists. */
    readonly cwd: string;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
    /** Beyond Docker's standard ones (/proc, /dev, /sys), in order. Missing mount points are made by the caller. */
    readonly mounts: readonly RunMount[];
    readonly hostname: string;
    readonly network: 'host' | 'none';
    /** true: all capabilities and no masked paths (RUN --security=insecure). */
    readonly privileged: boolean;
    readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
    readonly signal?: AbortSignal;
}
export interface RunResult {
    readonly exitCode: number;
    /** Name of the signal that ended the command (`SIGKILL`), then exitCode is 128 + its number. */
    readonly signal?: string;
}
