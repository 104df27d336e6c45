import type { Exchange } from './types.ts';
/** Sends a small answer; nothing but its headers for HEAD. */
export declare function send({ response, method }: Exchange, status: number, headers?: Readonly<Record<string, string | number | readonly string[]>>, body?: Buffer | string): void;
/** Whether the client has what this entity tag names (RFC 9110, section 13.1.2). */
export declare function notModified({ request }: Exchange, etag: string): boolean;
