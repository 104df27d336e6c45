import { type Emit } from '../core/events.ts';
import type { BuildRequest, BuildResult } from './types.ts';
export interface BuildDeps {
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
/**
 * Builds the target, taking from the cache what it holds, and stores what it does not; then writes the outputs.
 * @throws AppError of any code; the request's outputs are then not there
 */
export declare function runBuild(request: BuildRequest, { emit: listener, signal }: BuildDeps): Promise<BuildResult>;
