import type { Emit } from '../core/events.ts';
import { type InplaceBackend } from '../rootfs/inplace/backend.ts';
import type { RootfsBackend } from '../rootfs/types.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';
export interface OpenBackendDeps {
    readonly emit: Emit;
    readonly signal: AbortSignal;
    /** As OverlayBasesDeps.shared. */
    readonly sharedBases: ReadonlySet<string>;
}
/**
 * Opens the back end that a request asks for.
 * @throws AppError PERMISSION when this process lacks a right that it needs; USAGE for working directories that the back end
 * itself would delete
 */
export declare function openBackend(request: BuildRequest, session: Session, { sharedBases, ...deps }: OpenBackendDeps): RootfsBackend | InplaceBackend;
