import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../core/error.ts';
import type { BlobSource } from '../types.ts';
import { answerOf } from './errors.ts';
import { discard, resolveLocation } from './redirect.ts';
import type { HttpResponse, RegistryClient } from './types.ts';
import { countedBody, rangeOf } from './upload-body.ts';

export interface Upload {
  readonly client: RegistryClient;
  readonly registry: string;
  readonly repository: string;
  readonly source: BlobSource;
  readonly signal?: AbortSignal;
}

/** An upload session: where it goes on, and how many bytes the registry holds. */
interface Session {
  readonly location: string;
  readonly offset: number;
  /** Least bytes of a chunk, as the registry asks for (OCI distribution spec, `OCI-Chunk-Min-Length`). */
  readonly minChunk: number;
}

const CHUNK = 32 * 1024 * 1024;
/** Statuses that say "not in one piece": some registries and the proxies before them limit the size of a body. */
const TOO_MUCH = [400, 405, 411, 413, 415, 501];

/**
 * Uploads a blob (OCI distribution spec, "Pushing blobs"): mounted from another repository where that works, else in one
 * PUT, else in chunks. An upload that breaks goes on where the registry says it stands.
 * @throws AppError REGISTRY, AUTH; CORRUPT when the registry finds that the content is not the digest's
 */
export async function uploadBlob(upload: Upload): Promise<'stored' | 'mounted'> {
  const { client, signal } = upload;
  let session: Session | undefined = await mountOrBegin(upload);
  if (session === undefined) return 'mounted';
  let chunked = false;
  for (let failures = 0; ; ) {
    try {
      await (chunked ? sendChunks(upload, session) : sendRest(upload, session));
      return 'stored';
    } catch (error) {
      signal?.throwIfAborted();
      const answer = answerOf(error);
      if (answer?.code === 'DIGEST_INVALID') throw refusedDigest(upload, error);
      const refused = answer !== undefined && TOO_MUCH.includes(answer.status);
      // A part was refused that would have gone on with a broken upload: then all is sent again in one piece.
      const restart: boolean = refused && !chunked && session.offset > 0;
      const unfit: boolean = refused && !chunked && !restart;
      const suggested = client.policy.baseDelayMs * 2 ** failures;
      const lost: boolean = restart || answer?.status === 404 || answer?.status === 416;
      const delayMs =
        unfit || lost ? 0 : client.delayFor(error, Math.min(suggested, client.policy.maxDelayMs));
      failures += 1;
      if (delayMs === undefined || failures >= client.policy.attempts) throw error;
      chunked ||= unfit;
      const reason = (error as Error).message;
      client.emit({ type: 'retry', what: describe(upload), attempt: failures, delayMs, reason });
      await sleep(delayMs, undefined, signal ? { signal } : {});
      session =
        (unfit || lost ? undefined : await status(upload, session)) ?? (await begin(upload, undefined))!;
    }
  }
}

/** As begin; a registry that answers a mount with an error is asked for a session without one. */
async function mountOrBegin(upload: Upload): Promise<Session | undefined> {
  try {
    return await begin(upload, upload.source.mountFrom);
  } catch (error) {
    if (upload.source.mountFrom === undefined || answerOf(error) === undefined) throw error;
    return begin(upload, undefined);
  }
}

/** Starts a session; undefined when the blob was mounted instead. */
async function begin(upload: Upload, mountFrom: string | undefined): Promise<Session | undefined> {
  const { repository, source } = upload;
  const query =
    mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: source.digest, from: mountFrom })}`;
  const response = await send(upload, 'POST', `${repository}/blobs/uploads/${query}`, [201, 202], {
    headers: { 'content-length': '0' },
    ...(mountFrom === undefined ? {} : { scopes: [`repository:${mountFrom}:pull`] }),
  });
  if (response.status === 201) return undefined;
  return next(upload, response, response.url, 0);
}

/** Asks how far a session got; undefined when the registry does not know it any more. */
async function status(upload: Upload, session: Session): Promise<Session | undefined> {
  try {
    const response = await send(upload, 'GET', session.location, [204], {});
    return next(upload, response, session.location, rangeOf(response.headers));
  } catch (error) {
    upload.signal?.throwIfAborted();
    const code = answerOf(error)?.status;
    if (code !== undefined && code < 500) return undefined;
    throw error;
  }
}

async function sendRest(upload: Upload, session: Session): Promise<void> {
  const { source } = upload;
  if (session.offset > 0 && session.offset < source.size) {
    return finish(upload, await sendPart(upload, session, source.size));
  }
  await finish(upload, session);
}

async function sendChunks(upload: Upload, session: Session): Promise<void> {
  let current = session;
  while (current.offset < upload.source.size) {
    const length = Math.max(CHUNK, current.minChunk);
    current = await sendPart(upload, current, Math.min(upload.source.size, current.offset + length));
  }
  await finish(upload, current);
}

async function sendPart(upload: Upload, session: Session, end: number): Promise<Session> {
  const { offset, location } = session;
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(end - offset),
    'content-range': `${offset}-${end - 1}`,
  };
  const body = countedBody(upload, offset, end);
  const response = await send(upload, 'PATCH', location, [202, 204], {
    headers,
    body,
    attempts: 1,
    carries: 'content',
  });
  const held = rangeOf(response.headers);
  return { ...next(upload, response, location, held > offset ? held : end), minChunk: session.minChunk };
}

async function finish(upload: Upload, session: Session): Promise<void> {
  const { source } = upload;
  const url = new URL(session.location);
  url.searchParams.set('digest', source.digest);
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(source.size - session.offset),
  };
  const body = session.offset < source.size ? { body: countedBody(upload, session.offset, source.size) } : {};
  await send(upload, 'PUT', url.href, [201, 204], { headers, attempts: 1, carries: 'content', ...body });
}

function next(upload: Upload, response: HttpResponse, base: string, offset: number): Session {
  const { location } = response.headers;
  if (location === undefined && base === response.url && offset === 0) {
    throw new AppError('REGISTRY', `${upload.registry} started an upload without telling its location`);
  }
  const minChunk = Number(response.headers['oci-chunk-min-length'] ?? 0);
  return {
    location: location === undefined ? base : resolveLocation(location, base),
    offset,
    minChunk: Number.isSafeInteger(minChunk) ? minChunk : 0,
  };
}

interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: () => Readable;
  readonly scopes?: readonly string[];
  readonly attempts?: number;
  readonly carries?: 'content';
}

async function send(
  upload: Upload,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  path: string,
  accept: readonly number[],
  { scopes = [], ...options }: SendOptions,
): Promise<HttpResponse> {
  const { client, registry, repository, signal } = upload;
  const response = await client.request(registry, {
    method,
    path,
    accept,
    scopes: [`repository:${repository}:pull,push`, ...scopes],
    what: describe(upload),
    ...options,
    ...(signal === undefined ? {} : { signal }),
  });
  discard(response.body);
  return response;
}

function refusedDigest({ registry, source }: Upload, cause: unknown): AppError {
  return new AppError('CORRUPT', `${registry} says that what was uploaded is not ${source.digest}`, {
    cause,
  });
}

function describe({ registry, repository, source }: Upload): string {
  return `push the blob ${source.digest.slice(0, 19)} to ${registry}/${repository}`;
}
