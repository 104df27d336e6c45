import { Readable } from 'node:stream';
import { AppError } from '../../core/error.ts';
import { type Emit, silent } from '../../core/events.ts';
import { isTooSlow, NETWORK_LIMITS, type NetworkLimits, paced } from '../../core/network-limits.ts';
import { DEFAULT_RETRY, type RetryPolicy, retry } from '../../core/retry.ts';
import { basicAuthOf } from '../../core/url-credentials.ts';
import { readAll } from '../readable.ts';
import { answerError, networkError, redactUrl, transientDelay } from './errors.ts';
import { follow } from './redirect.ts';
import type { Transport } from './transport.ts';

export interface DownloadOptions {
  /** Bytes. */
  readonly limit: number;
  /** Authorization among them goes to the first host alone; one in the URL wins. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Redirects to plain HTTP are followed. */
  readonly insecure?: boolean;
  readonly emit?: Emit;
  readonly policy?: RetryPolicy;
  readonly signal?: AbortSignal;
  /** How slow the server may be. */
  readonly limits?: NetworkLimits;
}

/** Each further try of what is too slow takes as long. */
const MOST_SLOW = 2;

/**
 * A small file behind a URL, whole. Failures that pass are tried again.
 * @throws AppError REGISTRY, AUTH, REFERENCE (404)
 */
export async function downloadFile(
  transport: Transport,
  url: string,
  {
    limit,
    headers: given = {},
    insecure = false,
    emit = silent,
    policy = DEFAULT_RETRY,
    signal,
    limits = NETWORK_LIMITS,
  }: DownloadOptions,
): Promise<Buffer> {
  const shown = redactUrl(url);
  const { host } = new URL(url);
  const what = `download ${shown}`;
  const common = signal === undefined ? {} : { signal };
  let slow = 0;
  const delayFor = (error: unknown, suggestedMs: number): number | undefined => {
    if (isTooSlow(error)) slow += 1;
    return slow >= MOST_SLOW ? undefined : transientDelay(error, suggestedMs);
  };
  return retry(
    policy,
    {
      delayFor,
      onRetry: (error, attempt, delayMs) =>
        emit({ type: 'retry', what, attempt, delayMs, reason: (error as Error).message }),
      ...common,
    },
    async () => {
      try {
        const authorization = basicAuthOf(new URL(url));
        const headers = { ...given, ...(authorization ? { authorization } : {}) };
        const response = await follow(
          transport,
          { method: 'GET', url, headers, carries: 'content', ...common },
          insecure,
        );
        if (response.status !== 200) throw await answerError(what, host, response);
        return await readAll(
          Readable.from(paced(response.body, limits), { objectMode: false }),
          limit,
          () => new AppError('REGISTRY', `${shown} is larger than ${limit} bytes`, { where: { url: shown } }),
          Number.POSITIVE_INFINITY,
        );
      } catch (error) {
        throw networkError(what, host, url, error);
      }
    },
  );
}
