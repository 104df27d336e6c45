import type { AddInstruction, CopyInstruction } from '../dockerfile/types.ts';
import type { StageDeps } from './stage-deps.ts';
import { type StageState } from './stage-state.ts';
import type { CopyOperation } from './types.ts';
/** A copy of everything into the root. */
export declare const COPY_ALL: {
    readonly kind: 'copy';
    readonly destination: '/';
    readonly link: false;
    readonly parents: false;
    readonly excludes: readonly [];
};
/**
 * A COPY or ADD with its sources listed and hashed, as far as they are the context's, a URL's or a repository's.
 * @throws AppError DOCKERFILE for a destination, variable or checksum that cannot be; CONTEXT for a source that is not
 *   there; what \`sources\` throws, with the place
 */
export declare function planCopy(deps: StageDeps, state: StageState, instruction: CopyInstruction | AddInstruction): Promise<CopyOperation>;
