import type { Emit } from '../../core/events.ts';
import type { ExtractRequest } from '../types.ts';
import type { FrameTimes } from './frame-writer.ts';
/** What extraction reports while it works. */
export interface ExtractProgress {
    /** Compressed bytes that are dealt with: written, or found to be of no use. */
    advance(bytes: number): void;
    /** Milliseconds in which nothing could be done because bytes had not arrived. */
    waited(ms: number): void;
    /** What a thread did with a frame. */
    spent(times: FrameTimes): void;
    /** Frames are written, after so many milliseconds by the clock. */
    framesDone(ms: number): void;
    /**
     * Emits the last progress event and the phases, which add up to the time by the clock: threads work side by side, so
     * what they did in the time without waiting is told by its shares.
     */
    finish(): void;
}
/** Counts in compressed bytes, for only their total is known from the start; at most ten events a second. */
export declare function createExtractProgress(layers: ExtractRequest['layers'], emit: Emit): ExtractProgress;
