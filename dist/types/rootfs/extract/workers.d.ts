import { type ErrorCode } from '../../core/error.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { type FrameOrder, type FrameTarget, type FrameTimes } from './frame-writer.ts';
/** A frame to be verified, decoded and written. */
export interface FrameWork {
    readonly blob: LayerBlob;
    readonly order: FrameOrder;
    /** Where its compressed bytes lie in the shared memory. */
    readonly offset: number;
    /** Called once its files are written. */
    readonly onWritten: (spent: FrameTimes) => void;
}
/** Threads that decode frames and write their files. */
export interface FrameWorkers {
    /** Hands a frame over; frames may be done in any order. @throws AppError the failure of any frame so far, naming its layer */
    send(work: FrameWork): void;
    /** Since when nothing has been to do (performance.now), or undefined. */
    idleSince(): number | undefined;
    /** Waits until all frames are written. @throws AppError as `send` */
    finish(): Promise<void>;
    /** Stops; nothing is written once this has resolved. */
    close(): Promise<void>;
}
export interface FrameWorkersOptions {
    readonly target: FrameTarget;
    readonly memory: SharedArrayBuffer;
    /** How many frames there will be. */
    readonly frames: number;
    /** Called once when a frame cannot be written, for whoever waits for others to be. */
    readonly onFailure: () => void;
}
export interface WorkerInput {
    readonly memory: SharedArrayBuffer;
    readonly target: FrameTarget;
}
export interface WorkerOrder {
    readonly id: number;
    readonly offset: number;
    readonly order: FrameOrder;
}
export interface WorkerAnswer {
    readonly id: number;
    spent: FrameTimes;
    error?: PackedError;
}
interface PackedError {
    readonly code: ErrorCode | undefined;
    readonly errno: string | undefined;
    readonly message: string;
}
/**
 * Files are written by as many threads as there are processors, up to four: the kernel's work for a new file is most of
 * the time, and it is done for several at once.
 */
export declare function createFrameWorkers(options: FrameWorkersOptions): FrameWorkers;
/** An error in a form that survives the way between threads. */
export declare function packError(error: unknown): PackedError;
export {};
