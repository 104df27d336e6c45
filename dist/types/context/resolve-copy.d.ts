import { type Where } from '../core/error.ts';
import type { CopyItem, SourceTree, TreeNode } from './types.ts';
export interface CopyRequest {
    /** As written, expanded; relative to the tree's root, whatever slashes they start with. */
    readonly sources: readonly string[];
    /** Patterns as in .dockerignore, relative to each source. */
    readonly excludes: readonly string[];
    readonly parents: boolean;
    /** The instruction, for errors. */
    readonly where: Where;
}
/**
 * The files that COPY or ADD names (Dockerfile reference, "COPY"): a directory gives its contents, with one item for
 * itself at ''; a file or a matched file gives one item under its own name; a symlink that is named is followed inside
 * the tree, links within directories are kept, and with --parents all are. A wildcard that matches nothing gives nothing.
 * @throws AppError CONTEXT when a named source does not exist, when the directory of a wildcard does not exist, or one
 * matches a symlink that leads nowhere
 */
export declare function resolveCopy(tree: SourceTree, request: CopyRequest): Promise<CopyItem[]>;
/** The paths on which alone, with all below them, a list of resolveCopy depends while none leads over a symlink. */
export declare function copiedPaths({ sources, parents, }: Pick<CopyRequest, 'sources' | 'parents'>): readonly string[] | undefined;
/** What a path of a tree leads to, links in its last place followed inside the tree too; undefined where nothing is. */
export declare function follow(tree: SourceTree, path: string): Promise<TreeNode | undefined>;
