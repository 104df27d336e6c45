import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CollectResult } from './gc.ts';
import type { Route } from './types.ts';

/** What a request was for, as far as it could be told. */
export type RouteKind = Route['kind'] | 'health' | 'other';

/** One request that has ended. */
export interface RequestRecord {
  /** When it came, in milliseconds since the epoch. */
  readonly time: number;
  readonly remote: string;
  /** Whose login was right; nobody's where it was wrong, or where there was none. */
  readonly user?: string;
  readonly method: string;
  readonly route: RouteKind;
  /** Without the query; left out where the target has no path. */
  readonly path?: string;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Bytes of the two bodies. */
  readonly received: number;
  readonly sent: number;
  readonly ms: number;
  /** Whether the client has the whole answer. */
  readonly complete: boolean;
}

/** Told of what the server does. */
export interface Observer {
  readonly begin?: () => void;
  readonly end?: (record: RequestRecord) => void;
  readonly collected?: (result: CollectResult | undefined) => void;
}

/** What becomes known of a request while it is answered. */
export interface Observed {
  user?: string;
  route: RouteKind;
  path?: string;
}

const MAX_PATH = 1024;

/** Watches one exchange; what is set in the result until its end is in the record. */
export function observe(request: IncomingMessage, response: ServerResponse, observer: Observer): Observed {
  const observed: Observed = { route: 'other' };
  const [time, begun, read] = [Date.now(), performance.now(), request.socket.bytesRead];
  const remote = request.socket.remoteAddress ?? '';
  const sent = countWrites(response);
  observer.begin?.();
  response.once('close', () => {
    const { user, route, path } = observed;
    observer.end?.({
      time,
      remote,
      ...(user === undefined ? {} : { user }),
      method: request.method ?? '',
      route,
      ...(path === undefined ? {} : { path: path.slice(0, MAX_PATH) }),
      status: response.headersSent ? response.statusCode : 0,
      received: receivedBytes(request, read),
      sent: sent(),
      ms: performance.now() - begun,
      complete: response.writableFinished,
    });
  });
  return observed;
}

/** An access log's line. It has nothing of the headers and nothing of the query, where credentials stand. */
export function accessLine(record: RequestRecord): string {
  const {
    time,
    remote,
    user = null,
    method,
    route,
    path = null,
    status,
    received,
    sent,
    ms,
    complete,
  } = record;
  return `${JSON.stringify({
    time: new Date(time).toISOString(),
    remote,
    user,
    method,
    path,
    route,
    status,
    received,
    sent,
    ms: Math.round(ms * 1000) / 1000,
    complete,
  })}\n`;
}

/** Several observers as one. */
export function observers(all: readonly Observer[]): Observer {
  return {
    begin: () => all.forEach(({ begin }) => void begin?.()),
    end: (record) => all.forEach(({ end }) => void end?.(record)),
    collected: (result) => all.forEach(({ collected }) => void collected?.(result)),
  };
}

function receivedBytes({ headers, complete, socket }: IncomingMessage, before: number): number {
  const stated = Number(headers['content-length'] ?? Number.NaN);
  // What had come with the headers is not in the difference.
  return complete && Number.isSafeInteger(stated) ? stated : Math.max(0, socket.bytesRead - before);
}

/** Counts what is written; what still waits in this process is no part of it. */
function countWrites(response: ServerResponse): () => number {
  let bytes = 0;
  const count = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) bytes += Buffer.byteLength(chunk);
  };
  const write = response.write.bind(response) as (...args: unknown[]) => boolean;
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.write = (...args: unknown[]) => {
    count(args[0]);
    return write(...args);
  };
  response.end = (...args: unknown[]) => {
    count(args[0]);
    return end(...args);
  };
  return () => Math.max(0, bytes - response.writableLength);
}
