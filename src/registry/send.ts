import type { Exchange } from './types.ts';

/** Sends a small answer; nothing but its headers for HEAD. */
export function send(
  { response, method }: Exchange,
  status: number,
  headers: Readonly<Record<string, string | number | readonly string[]>> = {},
  body: Buffer | string = '',
): void {
  const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...(headers as Record<string, string>) });
  response.end(method === 'HEAD' ? undefined : body);
}

/** Whether the client has what this entity tag names (RFC 9110, section 13.1.2). */
export function notModified({ request }: Exchange, etag: string): boolean {
  const given = request.headers['if-none-match'];
  if (given === undefined) return false;
  return given
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tag === etag);
}
