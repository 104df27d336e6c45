import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryPolicy {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  /** Delay before the second try, in milliseconds; doubles each time, with jitter. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseDelayMs: 200, maxDelayMs: 10_000 };

export interface RetryHooks {
  /** Milliseconds to wait before the next try, or `undefined` when the error is final. `suggested` is the backoff's own delay. */
  readonly delayFor: (error: unknown, suggestedMs: number) => number | undefined;
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
  readonly signal?: AbortSignal;
}

/** Calls `work` until it succeeds, an error is final, or the attempts are used up; the last error is thrown as it is. */
export async function retry<T>(
  policy: RetryPolicy,
  hooks: RetryHooks,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      hooks.signal?.throwIfAborted();
      const backoff = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
      const delay = hooks.delayFor(error, Math.round(backoff * (0.5 + Math.random() / 2)));
      if (delay === undefined || attempt >= policy.attempts) throw error;
      hooks.onRetry?.(error, attempt, delay);
      await sleep(delay, undefined, hooks.signal ? { signal: hooks.signal } : {});
    }
  }
}
