import type { Emit } from '../core/events.ts';
/** Turns output into messages, a line each, that say what they come from. */
export declare function createOutput(label: string, emit: Emit): {
    readonly push: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
    readonly end: () => void;
};
