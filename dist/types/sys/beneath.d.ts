import { type BigIntStats } from 'node:fs';
import { type Links } from './beneath-walk.ts';
import { type EntryName } from './entry.ts';
import type { Syscalls } from './types.ts';
export type { Links } from './beneath-walk.ts';
export interface BeneathOptions {
    /** 'in-root' when left out. */
    readonly links?: Links;
}
/**
 * A directory, and all below it. Paths are path strings (core/path-bytes.ts) relative to it; a slash in front changes
 * nothing. Every method throws errors as node:fs does, with `code` and `path`; besides those of the kernel there are EXDEV
 * for a path that leaves the directory by `..` or a link (never with 'in-root', which holds it inside), ELOOP for more
 * than 40 links and for any link with 'none', and EINVAL for a NUL. Links below /proc that lead by more than their text
 * are not followed.
 */
export interface BeneathDirectory {
    /** As it was opened; for messages. */
    readonly path: string;
    /** A descriptor of it, opened with O_PATH, until close(). */
    readonly fd: number;
    /**
     * Opens what a path leads to.
     * @param flags of open(2); O_CLOEXEC is always added
     * @returns a descriptor, which the caller closes
     */
    open(path: string, flags: number, options?: BeneathOptions & {
        readonly mode?: number;
    }): number;
    /**
     * Opens a regular file to be read. Nothing blocks, and no driver of a device sees an open.
     * @returns a descriptor, which the caller closes
     * @throws Error EISDIR for a directory, ENOTREG for any other thing that is no regular file
     */
    openFile(path: string, options?: BeneathOptions): number;
    /**
     * Reads a regular file.
     * @param options.limit most bytes
     * @throws Error as openFile, and EFBIG for a longer file, which is not read to its end
     */
    readFile(path: string, options: BeneathOptions & {
        readonly limit: number;
    }): Buffer;
    /** What is at a path itself, a link as a link; undefined where nothing is. */
    lstat(path: string, options?: BeneathOptions): BigIntStats | undefined;
    /** What a path leads to; undefined where nothing is. */
    stat(path: string, options?: BeneathOptions): BigIntStats | undefined;
    /** The text of a link. */
    readlink(path: string, options?: BeneathOptions): string;
    /**
     * The path relative to the directory that leads to the same without a link, each of them resolved inside the directory;
     * parts that do not exist stay as they are. It may be wrong by the time that it is used.
     * @param options.followLast whether a link in the last place is followed too; it is unless something else is said
     */
    realPath(path: string, options?: {
        readonly followLast: boolean;
    }): string;
    /** The names in a directory, as the file system has them. */
    list(path: string, options?: BeneathOptions): string[];
    /**
     * Does something to an entry that may not exist, by the only text that may name it. Links on the way to it are followed
     * as said, one in its own place never.
     * @param use gets a name that is right until it returns, for the calls of entry.ts, and for those of Syscalls that follow
     * no link: mknod, lutimes, and those for attributes
     * @throws Error EINVAL where the last part is none, as in '', 'a/..'; what `use` throws
     */
    at<T>(path: string, use: (entry: EntryName) => T, options?: BeneathOptions): T;
    /**
     * Makes a directory and what is missing above it; what exists stays.
     * @param options.mode of what is made, 0755 when left out; the umask does not count
     * @throws Error ENOTDIR where something else is in the way
     */
    makeDirectory(path: string, options?: BeneathOptions & {
        readonly mode?: number;
    }): void;
    /**
     * Writes a new file in the place of whatever file, link or other thing is there; nothing is written through it.
     * @param options.mode 0644 when left out; the umask does not count
     * @throws Error EISDIR for a directory in its place
     */
    writeFile(path: string, data: Buffer | string, options?: BeneathOptions & {
        readonly mode?: number;
    }): void;
    /** Removes an entry, a directory with all in it, and no link's target; nothing there is fine. */
    remove(path: string, options?: BeneathOptions): void;
    /** Moves an entry, over an old one as rename(2) does. */
    rename(from: string, to: string, options?: BeneathOptions): void;
    /** A directory in it, on its own: nothing leads from there to what is above it. */
    directory(path: string, options?: BeneathOptions): BeneathDirectory;
    /** Closes the descriptor; may be called twice. */
    close(): void;
}
/** Opens directories. The directory itself is named by somebody who is trusted: links to it are followed. */
export type OpenBeneath = (path: string) => BeneathDirectory;
/**
 * @param syscalls without them, or where the kernel or a filter of the container refuses openat2, paths are walked part
 * by part, which gives the same and needs no foreign library
 */
export declare function createBeneath(syscalls?: Pick<Syscalls, 'openat2'>): OpenBeneath;
/**
 * Opens what lies at an absolute path, as openat2 with 'none' does below `/`.
 * @throws Error ELOOP for any link on the way, and what open(2) says
 */
export type OpenPlain = (path: string, flags: number) => number;
/**
 * For trees whose own path is free of links: what is opened lies where its path says.
 * @param syscalls as of createBeneath
 */
export declare function createOpenPlain(syscalls?: Pick<Syscalls, 'openat2'>): OpenPlain;
/** Opens a directory for as long as something is done below it. */
export declare function withBeneath<T>(openBeneath: OpenBeneath, path: string, use: (directory: BeneathDirectory) => T): T;
