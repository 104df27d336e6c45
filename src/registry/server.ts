import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { toAppError } from '../core/error.ts';
import { checkDirectory, prepareDirectory } from '../oci/dir-check.ts';
import { createRegistryHandler, type HandlerOptions } from './handler.ts';
import { createPace, PACE_LIMITS, type PaceLimits } from './pace.ts';

export interface ServerOptions extends Omit<HandlerOptions, 'pace'> {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** PEM; plain HTTP when left out. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** How slow clients may be. */
  readonly paceLimits?: PaceLimits;
}

/** A registry that listens. */
export interface RegistryServer {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** Takes no more requests, waits for those under way up to the grace period, then cuts their connections. */
  close(graceMs?: number): Promise<void>;
}

/** A connection that is silent for this long is cut. */
const SILENCE_MS = 120_000;
const GRACE_MS = 2000;

/** Listens. @throws AppError CACHE_DIR for the directory, USAGE for the address or the certificate */
export async function startRegistryServer(options: ServerOptions): Promise<RegistryServer> {
  const { host, port, tls, paceLimits = PACE_LIMITS } = options;
  prepareDirectory(options.root);
  const pace = createPace(paceLimits);
  let closing = false;
  const isReady = (): boolean => !closing && canServe(options.root);
  const handler = createRegistryHandler({ isReady, ...options, pace });
  const checks = { connectionsCheckingInterval: Math.min(30_000, paceLimits.headersMs) };
  let server: Server;
  try {
    server =
      tls === undefined
        ? createHttpServer(checks, handler)
        : createHttpsServer({ ...tls, ...checks, handshakeTimeout: paceLimits.headersMs }, handler);
  } catch (error) {
    throw toAppError(error, 'USAGE', 'the certificate or its key cannot be used', {
      hint: 'both are PEM files, and the key belongs to the certificate',
    });
  }
  server.requestTimeout = 0;
  server.headersTimeout = paceLimits.headersMs;
  server.maxConnections = paceLimits.connections;
  server.keepAliveTimeout = 75_000;
  server.setTimeout(SILENCE_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot listen at ${host}:${port}`, { hint: 'choose another --addr' });
  }
  const bound = server.address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${bound.port}`,
    close: async (graceMs = GRACE_MS) => {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cut);
      pace.close();
    },
  };
}

/** Whether the directory can still be read: a volume may go away under a server. */
function canServe(root: string): boolean {
  try {
    checkDirectory(root);
    return true;
  } catch {
    return false;
  }
}
