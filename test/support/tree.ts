/** A file of an image or directory, in words that do not depend on where the description came from. */
export interface TreeEntry {
  readonly type: 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Hex; only for files. */
  readonly sha256?: string;
  /** The content of a short file, for reports. */
  readonly text?: string;
  readonly linkname?: string;
  /** `major:minor`, only for devices. */
  readonly rdev?: string;
  /** Hex values by full name. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** All names of the same inode when there are several, sorted. */
  readonly names?: readonly string[];
  /** Seconds since the epoch, or `now` for anything made during the test run. */
  readonly mtime: number | 'now';
}

/** By absolute path; each byte of a name is one character (latin1). */
export type Tree = Readonly<Record<string, TreeEntry>>;

/** A flattened image with the parts of its configuration that a user can see. */
export interface ImageDescription {
  readonly tree: Tree;
  readonly config: Readonly<Record<string, unknown>>;
  /** `created_by` of every history entry, with its `empty_layer`. */
  readonly history: readonly { readonly createdBy: string; readonly empty: boolean }[];
  /** What is wrong with the image itself, whatever it is compared with. */
  readonly problems: readonly string[];
}
