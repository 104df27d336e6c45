import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';

/** A server before another one that lets only those through who know the password. */
export interface AuthProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** How many requests were let through. */
  readonly passed: () => number;
  readonly stop: () => Promise<void>;
}

export interface AuthProxyOptions {
  /** `host:port` that everything goes on to, whatever a client of a proxy asks for. */
  readonly target: string;
  /** A forward proxy, as http_proxy names one. */
  readonly forward?: boolean;
  readonly user: string;
  readonly password: string;
}

/** Starts one on a free port of 127.0.0.1; Basic authentication (RFC 7617), asked for as a proxy does when it is one. */
export async function startAuthProxy(options: AuthProxyOptions): Promise<AuthProxy> {
  const { target, user, password } = options;
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const [ask, answer, status] = options.forward
    ? (['proxy-authenticate', 'proxy-authorization', 407] as const)
    : (['www-authenticate', 'authorization', 401] as const);
  let passed = 0;
  const server = createServer((incoming, response) => {
    if (incoming.headers[answer] !== expected) {
      incoming.resume();
      response.writeHead(status, { [ask]: 'Basic realm="test"' }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
      return;
    }
    passed += 1;
    forward(incoming, response, target, answer);
  });
  server.on('connect', (incoming, socket) => {
    if (!options.forward || incoming.headers[answer] !== expected) {
      socket.end(`HTTP/1.1 ${status} Refused\r\n${ask}: Basic realm="test"\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    passed += 1;
    const [host = '', port] = target.split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    passed: () => passed,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(incoming: IncomingMessage, response: ServerResponse, target: string, drop: string): void {
  const url = new URL(incoming.url ?? '/', 'http://any.invalid');
  url.host = target;
  // The host stays as the client wrote it, so that locations in answers lead back here.
  const headers = { ...incoming.headers };
  delete headers[drop];
  const onward = request(url, { method: incoming.method ?? 'GET', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.writeHead(502).end());
  incoming.pipe(onward);
}
