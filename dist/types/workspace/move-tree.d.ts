/**
 * Moves what a clone checked out into the workspace, `.git` last: only then is the workspace a clone. What the workspace
 * has already stays as it is. Can be called again after it was interrupted.
 * @returns paths whose content in the workspace is not what the clone has
 */
export declare function moveTree(from: string, to: string): readonly string[];
