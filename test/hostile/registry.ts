import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A document under a tag or digest, as any bytes with any headers. */
export interface HostileDocument {
  readonly bytes: Buffer;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One repository: what is put in is given out, whether or not it makes sense. */
export interface HostileRepository {
  readonly name: string;
  /** `host/name`. */
  readonly reference: string;
  readonly documents: Map<string, HostileDocument>;
  readonly blobs: Map<string, Buffer>;
  /** Stores bytes under their digest and gives it. */
  blob(bytes: Buffer): string;
  /** Stores a document under a tag and its digest, and gives the digest. */
  document(tag: string | undefined, bytes: Buffer, type: string): string;
  /** Takes requests over: true when it has answered. */
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A registry in this process, over plain HTTP, that checks nothing (OCI distribution spec, "Endpoints"). */
export interface HostileRegistry {
  readonly host: string;
  repository(name: string): HostileRepository;
  /** Forgets a repository, and what was uploaded to it. */
  forget(name: string): void;
  /** Answers `/v2/` and everything outside of repositories. */
  readonly outside: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  stop(): Promise<void>;
}

export const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Starts one on a free port of 127.0.0.1. */
export async function startHostileRegistry(): Promise<HostileRegistry> {
  const repositories = new Map<string, HostileRepository>();
  const outside: HostileRegistry['outside'] = new Map();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://registry').pathname;
    const handler = outside.get(path);
    if (handler) return handler(request, response);
    const [, name = '', what = '', reference = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.*)$/.exec(path) ?? [];
    const repository = repositories.get(name);
    if (path === '/v2/') return void response.end('{}');
    if (!repository) return notFound(response);
    if (repository.answer?.(request, response)) return;
    if (what === 'manifests') return manifests(repository, reference, request, response);
    if (what === 'blobs') return blobs(repository, reference, request, response);
    return notFound(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    outside,
    repository: (name) => {
      const known = repositories.get(name);
      if (known) return known;
      const made = createRepository(host, name);
      repositories.set(name, made);
      return made;
    },
    forget: (name) => void repositories.delete(name),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createRepository(host: string, name: string): HostileRepository {
  const documents = new Map<string, HostileDocument>();
  const blobs = new Map<string, Buffer>();
  return {
    name,
    reference: `${host}/${name}`,
    documents,
    blobs,
    blob: (bytes) => {
      const digest = sha256(bytes);
      blobs.set(digest, bytes);
      return digest;
    },
    document: (tag, bytes, type) => {
      const digest = sha256(bytes);
      documents.set(digest, { bytes, type });
      if (tag !== undefined) documents.set(tag, { bytes, type });
      return digest;
    },
  };
}

function manifests(
  repository: HostileRepository,
  reference: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method === 'PUT') {
    void collect(request).then((bytes) => {
      const type = request.headers['content-type'] ?? '';
      const tag = reference.startsWith('sha256:') ? undefined : reference;
      const digest = repository.document(tag, bytes, type);
      response.writeHead(201, { location: request.url, 'docker-content-digest': digest }).end();
    });
    return;
  }
  const found = repository.documents.get(reference);
  if (!found) return notFound(response);
  response.writeHead(200, {
    'content-type': found.type,
    'content-length': found.bytes.length,
    'docker-content-digest': sha256(found.bytes),
    ...found.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}

function blobs(
  repository: HostileRepository,
  reference: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (reference.startsWith('uploads/')) return upload(repository, request, response);
  const found = repository.blobs.get(reference);
  if (!found) return notFound(response);
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': reference };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (from !== undefined) {
    const part = found.subarray(Number(from), to ? Number(to) + 1 : found.length);
    const range = `bytes ${from}-${Number(from) + part.length - 1}/${found.length}`;
    response.writeHead(206, { ...headers, 'content-range': range, 'content-length': part.length }).end(part);
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': found.length });
  response.end(request.method === 'HEAD' ? undefined : found);
}

function upload(repository: HostileRepository, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://registry');
  void collect(request).then((bytes) => {
    const id = url.pathname.split('/').at(-1) || `u${Math.random().toString(16).slice(2)}`;
    const key = `upload-${id}`;
    const all = Buffer.concat([repository.blobs.get(key) ?? Buffer.alloc(0), bytes]);
    const digest = url.searchParams.get('digest');
    if (digest !== null && request.method !== 'GET') {
      repository.blobs.delete(key);
      repository.blobs.set(digest, all);
      response.writeHead(201, { location: `/v2/${repository.name}/blobs/${digest}` }).end();
      return;
    }
    repository.blobs.set(key, all);
    const location = `/v2/${repository.name}/blobs/uploads/${id}`;
    response.writeHead(202, { location, range: `0-${Math.max(0, all.length - 1)}` }).end();
  });
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]}');
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
