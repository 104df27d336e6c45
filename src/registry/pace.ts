import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError, sendError } from './registry-error.ts';

/** How slow a client may be before its connection is cut. */
export interface PaceLimits {
  /** Milliseconds in which the headers of a request must have come. */
  readonly headersMs: number;
  /** Milliseconds in which the whole body of a request other than an upload must have come. */
  readonly documentMs: number;
  /** Milliseconds over which the throughput of an upload is measured, and the bytes that must come in them. */
  readonly receiveMs: number;
  readonly receiveBytes: number;
  /** Milliseconds in which a client must have taken some more of an answer. */
  readonly sendMs: number;
  /** Connections at once; further ones are refused. */
  readonly connections: number;
}

export const PACE_LIMITS: PaceLimits = {
  headersMs: 60_000,
  documentMs: 120_000,
  receiveMs: 60_000,
  receiveBytes: 60 * 1024,
  sendMs: 600_000,
  connections: 4096,
};

/** What the limits are for, as phrases; docs/reference/limits.md is generated from them. */
export const PACE_TEXTS = {
  headersMs: 'the headers of a request, and the handshake of TLS',
  documentMs: 'the body of a request other than an upload',
  receive: 'the body of an upload',
  sendMs: 'an answer: the client takes some of it',
  connections: 'connections',
} as const;

/** How long an answer to a slow client may take. */
const ANSWER_MS = 1000;

/** Cuts the connections of clients that hold them without getting on. */
export interface Pace {
  /** Watches one exchange until it ends. @param upload whether its body is the content of a blob */
  watch(request: IncomingMessage, response: ServerResponse, upload: boolean): void;
  close(): void;
}

interface Watched {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upload: boolean;
  readonly begun: number;
  /** Where the current measurement began. */
  since: number;
  read: number;
  /** When the answer last got on, and what had been handed over by then. */
  sentAt: number;
  sent: number;
}

/**
 * Only a client's own slowness counts: what has come and was not looked at yet, because we are busy, and an answer that we
 * have not made yet, cut nobody off.
 */
export function createPace(limits: PaceLimits): Pace {
  const watched = new Set<Watched>();
  const tick = Math.max(10, Math.min(limits.documentMs, limits.receiveMs, limits.sendMs) / 4);
  const timer = setInterval(() => {
    const now = performance.now();
    for (const each of watched) {
      if (isOver(each)) watched.delete(each);
      else if (isSlowSender(each, now, limits)) cut(each);
      else if (isSlowReader(each, now, limits)) each.response.destroy();
    }
  }, tick);
  timer.unref();
  return {
    watch: (request, response, upload) => {
      const now = performance.now();
      const { socket } = request;
      const each: Watched = {
        request,
        response,
        upload,
        begun: now,
        since: now,
        read: socket.bytesRead,
        sentAt: now,
        sent: handedOver(response),
      };
      watched.add(each);
      // What is left of a body after its answer is watched as well.
      response.once('close', () => isOver(each) && watched.delete(each));
    },
    close: () => clearInterval(timer),
  };
}

function isOver({ request, response }: Watched): boolean {
  return request.socket.destroyed || (request.complete && response.closed);
}

function isSlowSender(each: Watched, now: number, limits: PaceLimits): boolean {
  const { request, upload, begun } = each;
  const waits = !request.complete && request.readableLength === 0;
  if (!upload) return waits && now - begun > limits.documentMs;
  if (now - each.since < limits.receiveMs) return false;
  const bytes = request.socket.bytesRead - each.read;
  [each.since, each.read] = [now, request.socket.bytesRead];
  return waits && bytes < limits.receiveBytes;
}

function isSlowReader(each: Watched, now: number, limits: PaceLimits): boolean {
  const sent = handedOver(each.response);
  const waits = each.response.writableLength > 0 || (each.response.socket?.writableLength ?? 0) > 0;
  if (sent !== each.sent || !waits) {
    [each.sentAt, each.sent] = [now, sent];
    return false;
  }
  return now - each.sentAt > limits.sendMs;
}

/** Bytes of a connection that no longer wait in this process. */
function handedOver({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength;
}

/** The answer is for a client that is merely slow; one that does not read it is not waited for. */
function cut({ request, response }: Watched): void {
  const end = (): void => void request.socket.destroy();
  if (response.headersSent) return end();
  response.shouldKeepAlive = false;
  response.once('finish', end);
  setTimeout(end, ANSWER_MS).unref();
  sendError(response, new RegistryError(408, 'UNKNOWN', 'the body of the request came too slowly'));
}
