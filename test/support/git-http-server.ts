import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Repositories below a directory over HTTP, by git's own CGI program. */
export interface GitHttpServer {
  readonly origin: string;
  readonly port: number;
  /** What came in so far: method, path, and the Authorization header. */
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly authorization?: string;
  }[];
  readonly stop: () => Promise<void>;
}

export interface GitHttpOptions {
  readonly root: string;
  readonly login?: { readonly user: string; readonly password: string };
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Waits this long before each answer. */
  readonly delayMs?: number;
  /** Answers these requests itself, when it returns true. */
  readonly intercept?: (incoming: IncomingMessage, response: ServerResponse) => boolean;
}

const BACKEND = '/usr/lib/git-core/git-http-backend';

/** Starts one on a free port of 127.0.0.1. */
export async function startGitHttpServer(options: GitHttpOptions): Promise<GitHttpServer> {
  const { login, tls, delayMs = 0, intercept } = options;
  const expected = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
  const requests: { method: string; path: string; authorization?: string }[] = [];
  const listener: RequestListener = (incoming, response) => {
    const { authorization } = incoming.headers;
    requests.push({
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      ...(authorization === undefined ? {} : { authorization }),
    });
    if (intercept?.(incoming, response)) return;
    if (expected !== undefined && authorization !== expected) {
      incoming.resume();
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    // Wait: it is as slow as it was told to be.
    setTimeout(() => serve(options.root, incoming, response), delayMs);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One request by the Common Gateway Interface (RFC 3875). */
function serve(root: string, incoming: IncomingMessage, response: ServerResponse): void {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const child = spawn(BACKEND, [], {
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: incoming.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: incoming.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: incoming.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(incoming.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  incoming.pipe(child.stdin).on('error', () => {});
  let head = Buffer.alloc(0);
  let started = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (started) {
      if (!response.write(chunk)) {
        child.stdout.pause();
        response.once('drain', () => child.stdout.resume());
      }
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    started = true;
    let status = 200;
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else if (name !== '') response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  child.on('close', () => response.end());
  response.on('close', () => child.kill());
}
