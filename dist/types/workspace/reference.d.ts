import type { CloneRequest } from './types.ts';
/** What is checked out after a clone. */
export interface GitTarget {
    readonly type: 'default' | 'name' | 'tag' | 'commit' | 'ref';
    /** Without `refs/heads/` and `refs/tags/`. */
    readonly name: string;
}
/** What a fragment names: a branch, or a tag where there is no such branch; a commit; any other reference in full. */
export declare function targetOf(fragment: string | undefined): GitTarget;
/** The options of `git clone` for a target. */
export declare function cloneArguments(target: GitTarget, { depth, singleBranch }: CloneRequest): readonly string[];
