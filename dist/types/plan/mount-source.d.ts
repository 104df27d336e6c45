import type { SourceTree } from '../context/types.ts';
import type { SourceRange } from '../core/error.ts';
import type { ResolveMountSource } from './run-operation.ts';
import type { StageDeps } from './stage-deps.ts';
import { type StageState } from './stage-state.ts';
import type { TreeSource } from './types.ts';
/** Finds what a bind or cache mount reads: a stage, an image, or files of the build context. */
export declare function resolveMountSource(deps: StageDeps, state: StageState): ResolveMountSource;
/** What `--from=` or `from=` names, an image being resolved; a named context that is a directory gives its files. */
export declare function resolveFrom(deps: StageDeps, state: StageState, name: string, range: SourceRange): Promise<TreeSource | {
    readonly type: 'context';
    readonly tree: SourceTree;
}>;
