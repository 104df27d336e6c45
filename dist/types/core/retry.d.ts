export interface RetryPolicy {
    /** Tries in all, the first one included. */
    readonly attempts: number;
    /** Delay before the second try, in milliseconds; doubles each time, with jitter. */
    readonly baseDelayMs: number;
    readonly maxDelayMs: number;
}
export declare const DEFAULT_RETRY: RetryPolicy;
export interface RetryHooks {
    /** Milliseconds to wait before the next try, or `undefined` when the error is final. `suggested` is the backoff's own delay. */
    readonly delayFor: (error: unknown, suggestedMs: number) => number | undefined;
    readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
    readonly signal?: AbortSignal;
}
/** Calls `work` until it succeeds, an error is final, or the attempts are used up; the last error is thrown as it is. */
export declare function retry<T>(policy: RetryPolicy, hooks: RetryHooks, work: (attempt: number) => Promise<T>): Promise<T>;
