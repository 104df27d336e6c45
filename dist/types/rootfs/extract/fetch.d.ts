import type { LayerBlob, TocFrame } from '../../layer/types.ts';
/** A frame to be fetched. */
export interface FrameJob {
    readonly blob: LayerBlob;
    readonly frame: TocFrame;
}
/** Neighbouring frames of a layer, which are fetched with one ranged read. */
export interface FrameGroup<T extends FrameJob> {
    readonly blob: LayerBlob;
    readonly offset: number;
    length: number;
    readonly jobs: T[];
}
/** A group whose bytes have arrived, not verified. */
export interface FetchedGroup<T extends FrameJob> {
    readonly group: FrameGroup<T>;
    /** Where in the shared memory they lie. */
    readonly offset: number;
    /** Lets the memory be filled anew. */
    release(): void;
}
/** Groups frames, in order; the first groups are small, so that work can begin early. */
export declare function groupFrames<T extends FrameJob>(jobs: readonly T[]): FrameGroup<T>[];
/** Memory that threads share, with room for as many groups as may be under way. */
export interface FetchMemory {
    readonly buffer: SharedArrayBuffer;
    /** Bytes of a slot, and how many there are. */
    readonly size: number;
    readonly slots: number;
}
/** Takes all memory that fetching these groups needs; it does not depend on their number. */
export declare function createFetchMemory(groups: readonly FrameGroup<FrameJob>[]): FetchMemory;
/**
 * Yields groups in order once their bytes have arrived, until `signal` says that nobody wants them any more. As many reads
 * are under way as there is memory that nobody uses.
 * @throws AppError what the store throws and CORRUPT for a layer that is too short, naming the layer
 */
export declare function fetchGroups<T extends FrameJob>(groups: readonly FrameGroup<T>[], { buffer, size, slots }: FetchMemory, signal: AbortSignal): AsyncGenerator<FetchedGroup<T>>;
