import type { IncomingMessage, ServerResponse } from 'node:http';
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
export declare const PACE_LIMITS: PaceLimits;
/** Cuts the connections of clients that hold them without getting on. */
export interface Pace {
    /** Watches one exchange until it ends. @param upload whether its body is the content of a blob */
    watch(request: IncomingMessage, response: ServerResponse, upload: boolean): void;
    close(): void;
}
/**
 * Only a client's own slowness counts: what has come and was not looked at yet, because we are busy, and an answer that we
 * have not made yet, cut nobody off.
 */
export declare function createPace(limits: PaceLimits): Pace;
