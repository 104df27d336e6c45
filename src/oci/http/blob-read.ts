import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { type NetworkLimits, paced } from '../../core/network-limits.ts';
import { iteratedReadable } from '../readable.ts';
import type { ByteRange } from '../types.ts';
import { coalesce } from './coalesce.ts';
import { answerOf, networkError, redactUrl } from './errors.ts';
import { createTransferReport } from './transfer-report.ts';
import type { HttpResponse, RegistryClient } from './types.ts';

export interface BlobRead {
  readonly client: RegistryClient;
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly range?: ByteRange;
  /** Told the size of a blob that was read to its end without a range, and verified. */
  readonly onWhole?: (size: number) => void;
  readonly signal?: AbortSignal;
}

/** Smaller chunks are joined; a socket gives 64 KiB at once when the network is fast, and those pass without a copy. */
const CHUNK = 32 * 1024;
/** Bytes that count as getting on: a connection that brings less before it breaks is one more failure. */
const PROGRESS = 64 * 1024;

/**
 * Opens a blob for reading. A connection that breaks is made again from where it broke, as long as each one brings
 * something. Without a range the content is verified.
 * @throws AppError REGISTRY, AUTH, REFERENCE at once; the stream fails with REGISTRY or CORRUPT
 */
export async function openRemoteBlob(read: BlobRead): Promise<Readable> {
  const { range } = read;
  if (range?.length === 0) return Readable.from([], { objectMode: false });
  const abort = new AbortController();
  const signal = read.signal === undefined ? abort.signal : AbortSignal.any([read.signal, abort.signal]);
  const linked = { ...read, signal };
  const first = await requestFrom(linked, range?.offset ?? 0);
  const stream = iteratedReadable(() => coalesce(blobBytes(linked, first), CHUNK));
  stream.once('close', () => {
    abort.abort();
    first.body.on('error', () => {}).destroy();
  });
  return stream;
}

async function* blobBytes(read: BlobRead, first: HttpResponse): AsyncGenerator<Buffer, void> {
  const { client, digest, range } = read;
  const hash = range === undefined ? createHash('sha256') : undefined;
  const start = range?.offset ?? 0;
  const report = createTransferReport(client.emit, 'pull', digest);
  const what = describe(read);
  let end = endOf(first, start, range);
  let at = start;
  let failures = 0;
  let reached = start;
  let asked: HttpResponse | undefined = first;
  try {
    for (;;) {
      try {
        asked ??= await requestFrom(read, at, 1);
        end ??= endOf(asked, at, range);
        if (end !== undefined) report.expect(end - at);
        for await (const chunk of contentFrom(asked, at, end, client.limits)) {
          at += chunk.length;
          if (at - reached >= PROGRESS) [reached, failures] = [at, 0];
          hash?.update(chunk);
          report.moved(chunk.length);
          yield chunk;
        }
        end ??= at;
        if (at >= end) break;
        throw new Error(`the answer ended after ${at - start} of ${end - start} bytes`);
      } catch (thrown) {
        read.signal?.throwIfAborted();
        // There is nothing after what we have: the length that the first answer told was wrong, and the digest decides.
        if (asked === undefined && range === undefined && answerOf(thrown)?.status === 416) break;
        const error = networkError(what, read.registry, asked?.url ?? first.url, thrown);
        asked = undefined;
        failures += 1;
        const suggested = client.policy.baseDelayMs * 2 ** (failures - 1);
        const delayMs = client.delayFor(error, Math.min(suggested, client.policy.maxDelayMs));
        if (delayMs === undefined || failures >= client.policy.attempts) throw inBlob(error, digest);
        client.emit({ type: 'retry', what, attempt: failures, delayMs, reason: error.message });
        await sleep(delayMs, undefined, read.signal ? { signal: read.signal } : {});
      }
    }
  } finally {
    report.end();
  }
  const actual = hash && `sha256:${hash.digest('hex')}`;
  if (actual === digest) read.onWhole?.(at);
  if (actual === undefined || actual === digest) return;
  throw new AppError(
    'CORRUPT',
    `${read.registry} sent other content for the blob ${digest} (it has ${actual})`,
    {
      where: { url: redactUrl(first.url), layer: digest },
      hint: 'try again; when it stays so, the registry or a proxy on the way changes it',
    },
  );
}

function requestFrom(read: BlobRead, offset: number, attempts?: number): Promise<HttpResponse> {
  const { client, registry, repository, digest, range, signal } = read;
  const last = range?.length === undefined ? '' : range.offset + range.length - 1;
  const whole = offset === 0 && last === '';
  return client.request(registry, {
    method: 'GET',
    path: `${repository}/blobs/${digest}`,
    headers: whole ? {} : { range: `bytes=${offset}-${last}` },
    scopes: [`repository:${repository}:pull`],
    accept: [200, 206],
    carries: 'content',
    what: describe(read),
    ...(attempts === undefined ? {} : { attempts }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The content from `offset` on, to `end` at most, whether the answer is the whole blob or a part. */
async function* contentFrom(
  response: HttpResponse,
  offset: number,
  end: number | undefined,
  limits: NetworkLimits,
): AsyncGenerator<Buffer> {
  let at = response.status === 206 ? (contentRange(response).start ?? offset) : 0;
  if (at > offset) throw new Error(`the answer starts at byte ${at} instead of ${offset}`);
  for await (const chunk of paced(response.body as AsyncIterable<Buffer>, limits)) {
    const from = Math.max(0, offset - at);
    const to = end === undefined ? chunk.length : Math.min(chunk.length, end - at);
    at += chunk.length;
    if (from < to) yield from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to);
    if (end !== undefined && at >= end && response.status === 200 && to < chunk.length) break;
  }
}

/** Where the content that was asked for ends, as far as the answer tells. */
function endOf(response: HttpResponse, start: number, range: ByteRange | undefined): number | undefined {
  const total = response.status === 206 ? contentRange(response).total : contentLength(response);
  if (range?.length === undefined) return total;
  return Math.min(start + range.length, total ?? Number.POSITIVE_INFINITY);
}

/** What a Content-Range header says (RFC 9110, section 14.4): where the part begins, and how many bytes there are in all. */
export function contentRange({ headers }: Pick<HttpResponse, 'headers'>): {
  readonly start: number | undefined;
  readonly total: number | undefined;
} {
  const [, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  return {
    start: start === undefined ? undefined : Number(start),
    total: total === undefined || total === '*' ? undefined : Number(total),
  };
}

function contentLength({ headers }: HttpResponse): number | undefined {
  const length = headers['content-length'];
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

/** The same error, with the blob that it is about; whoever can do without it looks there. */
function inBlob(error: AppError, digest: Digest): AppError {
  return new AppError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    where: { ...error.where, layer: digest },
    cause: error.cause,
  });
}

function describe({ registry, repository, digest }: BlobRead): string {
  return `read the blob ${digest.slice(0, 19)} of ${registry}/${repository}`;
}
