import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toAppError } from '../core/error.ts';
import type { Metrics } from './metrics.ts';

/** Answers `GET /metrics` at an address of its own, where no login is asked for. */
export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens. @throws AppError USAGE for the address */
export async function startMetricsServer(
  { text, contentType }: Pick<Metrics, 'text' | 'contentType'>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    response.on('error', () => {});
    request.resume();
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    text().then(
      (body) => response.writeHead(200, { 'content-type': contentType }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = 64;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot listen at ${host}:${port}`, {
      hint: 'choose another --metrics-addr',
    });
  }
  const bound = server.address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${name}:${bound.port}/metrics`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
