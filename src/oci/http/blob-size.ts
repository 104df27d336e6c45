import type { Digest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { contentRange } from './blob-read.ts';
import { answerOf } from './errors.ts';
import type { Repository } from './manifests.ts';
import { discard } from './redirect.ts';
import type { HttpResponse } from './types.ts';

/**
 * Gives the size of a blob in bytes, or undefined when the repository does not hold it.
 * @param actions of the token that the question is asked with, as `pull` or `pull,push`
 * @throws AppError REGISTRY, AUTH
 */
export type BlobSize = (
  digest: Digest,
  actions: string,
  signal: AbortSignal | undefined,
) => Promise<number | undefined>;

/** Answers to HEAD that GET would get as well: nobody logged in, and too much was asked. */
const FINAL = [401, 429];
/** The first byte, or nothing where a blob is empty. */
const FIRST_BYTE = 'bytes=0-0';

/**
 * Asks a repository by HEAD. Where that is refused, or does not tell the size, the first byte is read, whose answer has the
 * size as well: some registries redirect to a storage that knows GET alone, and some proxies leave out the length. From
 * then on only that is asked.
 */
export function createBlobSizes({ client, registry, repository }: Repository): BlobSize {
  let headIsUseful = true;
  const ask = (
    method: 'GET' | 'HEAD',
    digest: Digest,
    actions: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> =>
    client.request(registry, {
      method,
      path: `${repository}/blobs/${digest}`,
      scopes: [`repository:${repository}:${actions}`],
      what: `look up the blob ${digest.slice(0, 19)} in ${registry}/${repository}`,
      ...(method === 'GET'
        ? { headers: { range: FIRST_BYTE }, accept: [200, 206, 416], attempts: 1 }
        : { accept: [200] }),
      ...(signal === undefined ? {} : { signal }),
    });
  const byHead: BlobSize = async (digest, actions, signal) => {
    const response = await ask('HEAD', digest, actions, signal);
    discard(response.body);
    return lengthOf(response);
  };
  const byFirstByte: BlobSize = async (digest, actions, signal) => {
    const response = await ask('GET', digest, actions, signal);
    if (response.status === 206) discard(response.body);
    // The whole blob may be coming.
    else response.body.on('error', () => {}).destroy();
    const size = response.status === 200 ? lengthOf(response) : contentRange(response).total;
    if (size !== undefined) return size;
    throw new AppError('REGISTRY', `${registry} does not tell the size of the blob ${digest}`);
  };

  return async (digest, actions, signal) => {
    let refusal: unknown;
    try {
      if (headIsUseful) {
        const size = await byHead(digest, actions, signal);
        if (size !== undefined) return size;
      }
    } catch (error) {
      const status = answerOf(error)?.status;
      if (status === 404) return undefined;
      if (status === undefined || FINAL.includes(status)) throw error;
      refusal = error;
    }
    try {
      const size = await byFirstByte(digest, actions, signal);
      headIsUseful = false;
      return size;
    } catch (error) {
      signal?.throwIfAborted();
      if (answerOf(error)?.status === 404) return undefined;
      throw refusal ?? error;
    }
  };
}

function lengthOf({ headers }: HttpResponse): number | undefined {
  const length = headers['content-length'];
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}
