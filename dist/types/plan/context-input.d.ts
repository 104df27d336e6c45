import type { SourceTree } from '../context/types.ts';
import type { Where } from '../core/error.ts';
import type { AddInstruction, CopyInstruction } from '../dockerfile/types.ts';
import { type Placing } from './context-items.ts';
import type { StageDeps } from './stage-deps.ts';
import { type StageState } from './stage-state.ts';
import type { CopyInput } from './types.ts';
/** The sources of a COPY or ADD, with variables replaced. */
export interface CopyRequest {
    readonly deps: StageDeps;
    readonly state: StageState;
    readonly instruction: CopyInstruction | AddInstruction;
    readonly sources: readonly string[];
    readonly excludes: readonly string[];
    readonly parents: boolean;
    readonly placing: Placing;
    /** --chmod, expanded. */
    readonly chmod: string | undefined;
}
/**
 * The files that sources name, as one input.
 * @throws AppError CONTEXT with the instruction's place, when a source names nothing
 */
export declare function contextInput(request: CopyRequest, sources: readonly string[], tree: SourceTree): Promise<CopyInput>;
/** All files of a tree. */
export declare function wholeTree(tree: SourceTree, where: Where): Promise<CopyInput>;
