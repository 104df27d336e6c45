import type { ChangeMode } from '../../context/chmod.ts';
import type { CopyItem, SourceTree } from '../../context/types.ts';
import type { Syscalls } from '../../sys/types.ts';
/** Who owns copied files; 'keep' leaves the source's owners. */
export type CopyOwner = 'keep' | {
    readonly uid: number;
    readonly gid: number;
};
export interface CopyRequest {
    /** Host path of the tree that is written. */
    readonly root: string;
    readonly tree: SourceTree;
    readonly items: readonly CopyItem[];
    /** Absolute inside the root; a trailing slash says that it is a directory. */
    readonly destination: string;
    readonly owner: CopyOwner;
    readonly chmod?: ChangeMode;
    /** Of the directories that are made above the files; 0755 unless something else is said. */
    readonly madeMode?: number;
    /** Whether a copied directory that does not exist yet has its own mode and owner, not those of a directory that is made. */
    readonly ownTop?: boolean;
    /** Whether paths of the sources are kept (--parents), so that the destination is a directory. */
    readonly parents?: boolean;
    /** Whether a file takes the place of a directory and the other way round, as in an archive that is unpacked. */
    readonly replace?: boolean;
    /** Whether a symlink at the destination itself is followed. */
    readonly followDestination: boolean;
    readonly syscalls: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes' | 'futimes' | 'openat2'>;
}
/**
 * Writes items as COPY does, one source after the other: a file goes into a destination that is a directory by then, else
 * to its name; a directory's contents go into the destination. Missing directories are made 0755 with the copy's owner,
 * directories merged, files replaced, times of the sources kept, hard links within a source kept. What is copied to a
 * directory that is not there yet does not get the source directory's own mode and owner, as in BuildKit.
 * @throws AppError BUILD_FAILED when a directory would replace a file or the other way round
 */
export declare function applyCopy(request: CopyRequest): Promise<void>;
