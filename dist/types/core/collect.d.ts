/**
 * Takes note of bytes that passed through buffers of their own, and has them collected now and then. Left alone, V8 lets
 * 64 MiB of dead buffers pile up in every thread; collecting the young ones takes about a millisecond.
 */
export declare function createCollector(): (bytes: number) => void;
