/**
 * Maps with at most `limit` calls under way; results keep the order of `items`. The first rejection wins and no further
 * item is started.
 */
export declare function mapLimit<T, R>(items: readonly T[], limit: number, work: (item: T, index: number) => Promise<R>): Promise<R[]>;
/** A value computed at most once, on first use. A rejection is kept too. */
export declare function once<T>(make: () => T): () => T;
