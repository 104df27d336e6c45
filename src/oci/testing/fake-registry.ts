import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Digest, digestOf } from '../../core/digest.ts';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** Answers a request instead of the registry when it returns true. The body has not been read. */
export type Fault = (
  seen: Seen,
  response: ServerResponse,
  request: IncomingMessage,
) => boolean | Promise<boolean>;

export interface FakeRegistry {
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { bytes: Buffer; type: string }>;
  readonly seen: Seen[];
  /** Asked in order, for every request. */
  readonly faults: Fault[];
  /** Set to break the connection of the next upload once more than this many bytes have arrived. */
  readonly breakUpload: { at?: number };
  addBlob(content: Buffer): Digest;
  close(): Promise<void>;
}

/** A registry in memory that does what the distribution spec says, and whatever its faults say. */
export async function startFakeRegistry(): Promise<FakeRegistry> {
  const blobs: FakeRegistry['blobs'] = new Map();
  const manifests: FakeRegistry['manifests'] = new Map();
  const uploads = new Map<string, Buffer>();
  const seen: Seen[] = [];
  const faults: Fault[] = [];
  const breakUpload: FakeRegistry['breakUpload'] = {};

  const blobRequest = (at: Seen, digest: string, response: ServerResponse): void => {
    const content = blobs.get(digest);
    if (content === undefined) return fail(response, 404, 'BLOB_UNKNOWN');
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(at.headers.range ?? '') ?? [];
    const from = Number(first ?? 0);
    const to = last ? Math.min(Number(last) + 1, content.length) : content.length;
    if (first !== undefined) response.setHeader('content-range', `bytes ${from}-${to - 1}/${content.length}`);
    response.writeHead(first === undefined ? 200 : 206, { 'content-length': to - from });
    response.end(at.method === 'HEAD' ? undefined : content.subarray(from, to));
  };

  const uploadRequest = async (
    at: Seen,
    repository: string,
    id: string,
    request: IncomingMessage,
    response: ServerResponse,
  ) => {
    const location = (key: string) => ({
      location: `/v2/${repository}/blobs/uploads/${key}?state=${uploads.get(key)!.length}`,
    });
    if (at.method === 'POST') {
      const mount = at.query.get('mount');
      if (mount !== null && blobs.has(mount)) return void response.writeHead(201).end();
      const key = String(uploads.size + 1);
      uploads.set(key, Buffer.alloc(0));
      return void response.writeHead(202, location(key)).end();
    }
    const held = uploads.get(id);
    if (held === undefined) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    const range = (length: number) => ({ range: `0-${Math.max(0, length - 1)}` });
    if (at.method === 'GET')
      return void response.writeHead(204, { ...location(id), ...range(held.length) }).end();
    const parts: Buffer[] = [held];
    // What arrives before a connection breaks is kept, as Distribution does.
    for await (const part of request) {
      parts.push(part as Buffer);
      uploads.set(id, Buffer.concat(parts));
      if (breakUpload.at === undefined || uploads.get(id)!.length <= breakUpload.at) continue;
      delete breakUpload.at;
      request.destroy();
      return;
    }
    const content = Buffer.concat(parts);
    if (at.method === 'PATCH')
      return void response.writeHead(202, { ...location(id), ...range(content.length) }).end();
    if (digestOf(content) !== at.query.get('digest')) return fail(response, 400, 'DIGEST_INVALID');
    blobs.set(digestOf(content), content);
    uploads.delete(id);
    response.writeHead(201).end();
  };

  const manifestRequest = async (
    at: Seen,
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
  ) => {
    if (at.method === 'PUT') {
      const bytes = await collect(request);
      const entry = { bytes, type: String(at.headers['content-type']) };
      manifests.set(name, entry).set(digestOf(bytes), entry);
      return void response.writeHead(201).end();
    }
    const found = manifests.get(name);
    if (found === undefined) return fail(response, 404, 'MANIFEST_UNKNOWN');
    const { bytes, type } = found;
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(bytes),
    });
    response.end(at.method === 'HEAD' ? undefined : bytes);
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://registry');
    const at = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
    };
    seen.push(at);
    request.on('error', () => {});
    for (const fault of [...faults]) if (await fault(at, response, request)) return;
    const [, repository = '', kind, rest = ''] =
      /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    if (kind === 'blobs') blobRequest(at, rest, response);
    else if (kind === 'manifests') await manifestRequest(at, rest, request, response);
    else if (kind === 'blobs/uploads')
      await uploadRequest(at, repository, rest, request, response).catch(() => {});
    else response.writeHead(url.pathname === '/v2/' ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs,
    manifests,
    seen,
    faults,
    breakUpload,
    addBlob: (content) => {
      blobs.set(digestOf(content), content);
      return digestOf(content);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with a registry's error body. */
export function fail(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: `the ${code} message` }] }));
}

/** All bytes of a stream. */
export async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
