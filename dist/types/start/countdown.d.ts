import type { Emit } from '../core/events.ts';
/**
 * Counts down before the root file system is replaced without the usual check.
 * @throws the reason of the signal when it is aborted
 */
export declare function countDown(emit: Emit, signal: AbortSignal, secondMs?: number): Promise<void>;
