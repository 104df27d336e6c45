import { AppError } from '../../core/error.ts';
import { type Emit, silent } from '../../core/events.ts';
import { DEFAULT_RETRY, type RetryPolicy, retry } from '../../core/retry.ts';
import { basicAuthOf } from '../../core/url-credentials.ts';
import { readAll } from '../readable.ts';
import { answerError, networkError, redactUrl, transientDelay } from './errors.ts';
import { follow } from './redirect.ts';
import type { Transport } from './transport.ts';

export interface DownloadOptions {
  /** Bytes. */
  readonly limit: number;
  /** Redirects to plain HTTP are followed. */
  readonly insecure?: boolean;
  readonly emit?: Emit;
  readonly policy?: RetryPolicy;
  readonly signal?: AbortSignal;
}

/**
 * A small file behind a URL, whole. Failures that pass are tried again.
 * @throws AppError REGISTRY, AUTH, REFERENCE (404)
 */
export async function downloadFile(
  transport: Transport,
  url: string,
  { limit, insecure = false, emit = silent, policy = DEFAULT_RETRY, signal }: DownloadOptions,
): Promise<Buffer> {
  const shown = redactUrl(url);
  const { host } = new URL(url);
  const what = `download ${shown}`;
  const common = signal === undefined ? {} : { signal };
  return retry(
    policy,
    {
      delayFor: transientDelay,
      onRetry: (error, attempt, delayMs) =>
        emit({ type: 'retry', what, attempt, delayMs, reason: (error as Error).message }),
      ...common,
    },
    async () => {
      try {
        const authorization = basicAuthOf(new URL(url));
        const headers = authorization ? { authorization } : {};
        const response = await follow(transport, { method: 'GET', url, headers, ...common }, insecure);
        if (response.status !== 200) throw await answerError(what, host, response);
        return await readAll(
          response.body,
          limit,
          () => new AppError('REGISTRY', `${shown} is larger than ${limit} bytes`, { where: { url: shown } }),
        );
      } catch (error) {
        throw networkError(what, host, url, error);
      }
    },
  );
}
