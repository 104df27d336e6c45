import type { Readable } from 'node:stream';
import { AppError } from '../../core/error.ts';
import { iteratedReadable } from '../readable.ts';
import type { BlobSource } from '../types.ts';
import { createTransferReport } from './transfer-report.ts';
import type { RegistryClient } from './types.ts';

/**
 * The bytes of a blob from `start` to `end` as a request body, made anew for every try. Sent bytes are reported.
 * @throws AppError CORRUPT (from the stream) when the source yields fewer
 */
export function countedBody(
  { client, source }: { readonly client: Pick<RegistryClient, 'emit'>; readonly source: BlobSource },
  start: number,
  end: number,
): () => Readable {
  async function* content(signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const stream = source.open(start);
    const stop = () => stream.destroy();
    signal.addEventListener('abort', stop);
    let at = start;
    const report = createTransferReport(client.emit, 'push', source.digest);
    report.expect(end - start);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        const part = at + chunk.length > end ? chunk.subarray(0, end - at) : chunk;
        at += part.length;
        yield part;
        report.moved(part.length);
        if (at === end) break;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stream.destroy();
      report.end();
    }
    if (at === end) return;
    throw new AppError('CORRUPT', `the blob ${source.digest} ended after ${at} of ${source.size} bytes`);
  }
  return () => iteratedReadable(content);
}

/**
 * Bytes that a registry holds of an upload, by its `Range: 0-<last>` header; 0 when it does not say, and for `0-0`, which
 * Distribution sends for an empty upload too.
 */
export function rangeOf(headers: Readonly<Record<string, string>>): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? '')?.[1];
  return last === undefined || last === '0' ? 0 : Number(last) + 1;
}
