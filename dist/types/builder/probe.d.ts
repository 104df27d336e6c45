import { type Emit } from '../core/events.ts';
import type { BuildRequest, ProbeResult } from './types.ts';
/**
 * Whether a build would find everything in the cache, and the image that it would give, without running, downloading a
 * layer, or writing anything.
 * @throws AppError CACHE_MISS naming the first instruction that is missing; NOT_PUSHED when only the image itself is
 */
export declare function runProbe(request: BuildRequest, { emit, signal }: {
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Promise<ProbeResult>;
