import type { TocFrame } from '../../layer/types.ts';
/** The files whose content lies in a frame, in a form that costs little to hand to another thread. */
export interface FrameOrder {
    readonly frame: TocFrame;
    /** Paths relative to the target, joined with NUL. */
    readonly paths: string;
    /** FIELDS numbers for each file. */
    readonly numbers: Float64Array;
}
/**
 * Per file: where its content starts, relative to the frame and negative when it began in the frame before; its size;
 * mode, uid, gid and mtime in seconds; and, for a file of several frames, the descriptor under which it is open, else -1.
 */
export declare const FIELDS = 7;
/** Where the files go. */
export interface FrameTarget {
    readonly target: string;
    readonly privileged: boolean;
}
/** Writes a decoded frame into files, whose directories exist. */
export type FrameWriter = (order: FrameOrder, bytes: Buffer) => void;
/**
 * A writer that gives files owner, mode and whole seconds of time; attributes and other times are the caller's. Of a file
 * that is open already it writes the part that lies in the frame, and nothing else.
 */
export declare function createFrameWriter({ target, privileged }: FrameTarget): FrameWriter;
/** Milliseconds that the parts of a frame's work took. */
export interface FrameTimes {
    readonly verify: number;
    readonly decode: number;
    readonly write: number;
}
/** Verifies and decodes a frame, and writes its files. @throws AppError CORRUPT, and what the file system throws */
export declare function writeFrame(write: FrameWriter, order: FrameOrder, bytes: Buffer): FrameTimes;
