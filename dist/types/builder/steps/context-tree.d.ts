import type { CopyItem, SourceTree } from '../../context/types.ts';
import type { Syscalls } from '../../sys/types.ts';
/**
 * Writes files of the context to a path that does not exist yet, owned by root: what a bind mount of the context shows. A
 * directory's own mode stays behind, as it does in a COPY; the path gets 0755.
 */
export declare function writeContextTree(syscalls: Syscalls, tree: SourceTree, items: readonly CopyItem[], target: string): Promise<void>;
/** Copies a directory of a root into an existing directory, owners kept: what a new cache mount with `from=` starts with. */
export declare function copyDirectory(syscalls: Syscalls, root: string, path: string, target: string): Promise<void>;
