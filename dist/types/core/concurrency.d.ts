/**
 * Maps with at most `limit` calls under way; results keep the order of `items`. The first rejection wins and no further
 * item is started.
 */
export declare function mapLimit<T, R>(items: readonly T[], limit: number, work: (item: T, index: number) => Promise<R>): Promise<R[]>;
/** A value computed at most once, on first use. A rejection is kept too. */
export declare function once<T>(make: () => T): () => T;
/**
 * Waits for work that others may share, and so does not end with this signal, until the signal aborts.
 * @param late gets what the work gives after that
 * @throws what the work throws, or the signal's reason
 */
export declare function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, late?: (result: T) => void): Promise<T>;
