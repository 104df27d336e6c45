import type { LayerRef } from '../../cache/types.ts';
import type { Emit } from '../../core/events.ts';
import type { PushableImage } from '../publishing/push-image.ts';
import type { Session } from '../session.ts';
import type { BuildRequest } from '../types.ts';
/** A built image with the chain of its own layers. */
export interface OutputImage extends PushableImage {
    readonly chain: readonly LayerRef[];
}
/** Writes every output that was asked for; each appears whole or not at all. */
export declare function writeOutputs(request: BuildRequest, session: Session, built: OutputImage, deps: {
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Promise<void>;
