import type { Workspace } from '../workspace/types.ts';
import { type BuiltState } from './state.ts';
import type { StartDeps, StartRequest } from './types.ts';
/** The root file system as it is now, and where it comes from. */
export interface ObtainedImage extends BuiltState {
    readonly workspace: Workspace;
    /** Whether it was built or taken from the cache just now. */
    readonly built: boolean;
}
/**
 * Prepares the workspace, and makes the root file system the one to start: it is left as it is in a container of a pushed
 * image, or when an earlier start has built it and that is to be used; otherwise it is built. Where the repository, the
 * definition or the build fails, the fallback image takes their place.
 * @throws AppError of any code
 */
export declare function obtainImage<Source>(request: StartRequest, deps: StartDeps<Source>): Promise<ObtainedImage>;
