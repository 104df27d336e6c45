export type EntryType = 'file' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';
/**
 * One entry of a layer's tar. `path` is a path string (core/path-bytes) relative to the root: no leading `/` or `./`, no
 * trailing `/`, no `.` or `..` parts; the root itself is ''. Whiteouts are still ordinary entries named `.wh.…` here.
 */
export interface LayerEntry {
    readonly path: string;
    readonly type: EntryType;
    /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    /** Bytes of content; 0 for anything but a file. */
    readonly size: number;
    /** Whole seconds since the epoch, may be negative. */
    readonly mtime: number;
    /** Nanoseconds within the second, 0 in layers that we write. */
    readonly mtimeNsec: number;
    /** Target of a symlink (as it stands), or path of the first name of a hard link (like `path`); else ''. */
    readonly linkname: string;
    readonly devmajor: number;
    readonly devminor: number;
    /** Extended attributes by full name (`security.capability`, `user.x`); undefined when there are none. */
    readonly xattrs?: ReadonlyMap<string, Buffer>;
}
