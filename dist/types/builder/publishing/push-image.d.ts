import type { Plan } from '../../plan/types.ts';
import type { Execution } from '../execution.ts';
import { type AssembledImage } from '../image.ts';
import type { Session } from '../session.ts';
import type { BuildRequest } from '../types.ts';
import { type PreparedRuntime } from './runtime.ts';
export interface PushableImage {
    readonly plan: Plan;
    readonly image: AssembledImage;
    readonly execution: Execution;
}
/** What an image that is not built yet will want in its repositories, on its way there. */
export interface StartedPush {
    /** As prepareRuntime; undefined when the image shall not start with us. */
    readonly runtime: PreparedRuntime | undefined;
    /**
     * Pushes the image to the cache's repository, and to the registry of every tag: layers, config, manifest, then the
     * name. Where there is no cache, the tags alone say where.
     * @throws AppError USAGE, REFERENCE, REGISTRY, AUTH, PUSH_FAILED; nothing is named before it is complete
     */
    finish(image: PushableImage, signal: AbortSignal): Promise<void>;
    /** Ends what is still on its way; may be called at any time, and never fails. */
    stop(): Promise<void>;
}
/**
 * Begins to push what does not depend on the steps, the base's layers and the runtime's, to where they are missing. Whether
 * that works is only told by `finish`, which tries again what did not.
 */
export declare function startPush(request: BuildRequest, session: Session, plan: Plan, outer: AbortSignal): Promise<StartedPush>;
