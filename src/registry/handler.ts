import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, toAppError } from '../core/error.ts';
import { type Emit, silent } from '../core/events.ts';
import { CONDITION_HEADER } from '../oci/http/manifests.ts';
import { createBlobs } from './blobs.ts';
import { createDiscovery } from './discovery.ts';
import { createManifestFiles } from './manifest-files.ts';
import { createManifests } from './manifests.ts';
import { type Observer, observe } from './observe.ts';
import type { Pace } from './pace.ts';
import { RegistryError, sendError } from './registry-error.ts';
import { type Access, type Right, requireRight, unlimited } from './rights.ts';
import { parseRoute, parseTarget } from './route.ts';
import { send } from './send.ts';
import { openStorage } from './storage.ts';
import type { Exchange, Route } from './types.ts';
import { createUploadFiles } from './upload-files.ts';
import { createUploads } from './uploads.ts';

/** What whoever a request comes from may do; throws RegistryError UNAUTHORIZED for those who may do nothing. */
export type Guard = (request: IncomingMessage, target: string) => Promise<Access>;

export interface HandlerOptions {
  /** A directory in CNCF Distribution's layout; made on the first push. */
  readonly root: string;
  readonly guard?: Guard;
  /** Told of every exchange before anything of it is read. */
  readonly pace?: Pick<Pace, 'watch'>;
  readonly observer?: Observer;
  /** Whether new requests should come here, for load balancers; yes when left out. */
  readonly isReady?: () => boolean;
  readonly emit?: Emit;
}

/**
 * A registry over a directory, as a request listener (OCI distribution spec v1.1, all categories). Any number of
 * processes may serve one directory, and use it as a layer cache meanwhile.
 * @throws AppError CACHE_DIR when the root holds something else
 */
export function createRegistryHandler(options: HandlerOptions) {
  const { root, guard, pace, observer, isReady = () => true, emit = silent } = options;
  const storage = openStorage(root, emit);
  const blobs = createBlobs(storage);
  const uploads = createUploads(storage, createUploadFiles(storage), blobs);
  const manifestFiles = createManifestFiles(storage);
  const manifests = createManifests(manifestFiles);
  const discovery = createDiscovery(storage, manifestFiles);

  const answer = (exchange: Exchange, route: Route): Promise<void> => {
    const { method } = exchange;
    const reads = method === 'GET' || method === 'HEAD';
    switch (route.kind) {
      case 'base':
        if (!reads) break;
        send(exchange, 200, { 'content-type': 'application/json' }, '{}');
        return Promise.resolve();
      case 'catalog':
        if (reads) return discovery.catalog(exchange);
        break;
      case 'tags':
        if (reads) return discovery.tags(exchange, route.repository);
        break;
      case 'referrers':
        if (reads) return discovery.referrers(exchange, route.repository, route.digest);
        break;
      case 'manifest':
        if (reads) return manifests.read(exchange, route.repository, route.reference);
        if (method === 'PUT') return manifests.write(exchange, route.repository, route.reference);
        if (method === 'DELETE') return manifests.remove(exchange, route.repository, route.reference);
        break;
      case 'blob':
        if (reads) return blobs.read(exchange, route.repository, route.digest);
        if (method === 'DELETE') return blobs.remove(exchange, route.repository, route.digest);
        break;
      case 'uploads':
        if (method === 'POST') return uploads.begin(exchange, route.repository);
        break;
      case 'upload':
        if (reads) return uploads.status(exchange, route);
        if (method === 'PATCH') return uploads.patch(exchange, route);
        if (method === 'PUT') return uploads.finish(exchange, route);
        if (method === 'DELETE') return uploads.cancel(exchange, route);
        break;
    }
    throw new RegistryError(405, 'UNSUPPORTED', `${method} is not supported here`);
  };

  const health = (exchange: Exchange, path: string): void => {
    const well = path !== '/readyz' || isReady();
    send(exchange, well ? 200 : 503, { 'content-type': 'text/plain' }, well ? 'ok\n' : 'not ready\n');
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const observed = observer && observe(request, response, observer);
    request.on('error', () => {});
    response.on('error', () => {});
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader(CONDITION_HEADER, 'known');
    try {
      const { path, query } = parseTarget(request.url ?? '');
      if (observed) observed.path = path;
      pace?.watch(request, response, path.includes('/blobs/uploads/'));
      const exchange = { request, response, method: request.method ?? '', query, access: unlimited() };
      if (HEALTH.has(path)) {
        if (observed) observed.route = 'health';
        return path === '/' ? send(exchange, 200) : health(exchange, path);
      }
      const access = guard === undefined ? exchange.access : await guard(request, path);
      if (observed && access.user !== undefined) observed.user = access.user;
      const route = parseRoute(path);
      if (observed && route !== undefined) observed.route = route.kind;
      if (route === undefined) throw new RegistryError(404, 'UNSUPPORTED', 'there is nothing at this path');
      if ('repository' in route) requireRight(access, rightFor(route, exchange.method), route.repository);
      await answer({ ...exchange, access }, route);
    } catch (thrown) {
      sendError(response, answerFor(thrown, request, emit));
      // Clients look at an answer once they have sent all.
      request.resume();
    }
  };
}

/** Answered without credentials. */
const HEALTH: ReadonlySet<string> = new Set(['/', '/healthz', '/readyz']);

/** What a request needs; methods that there are not are refused later, to those who may write. */
function rightFor({ kind }: Route, method: string): Right {
  if (kind === 'uploads' || kind === 'upload') return 'push';
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

/** A failure of ours is told to whoever runs the server; the client learns its kind alone. */
function answerFor(thrown: unknown, request: IncomingMessage, emit: Emit): RegistryError {
  if (thrown instanceof RegistryError) return thrown;
  if (request.destroyed && !request.complete)
    return new RegistryError(400, 'UNKNOWN', 'the request broke off');
  if (thrown instanceof AppError && thrown.code === 'CORRUPT') {
    return new RegistryError(404, 'BLOB_UNKNOWN', 'the content was damaged on disk');
  }
  const error = toAppError(
    thrown,
    'CACHE_DIR',
    `cannot answer ${request.method} ${request.url?.split('?', 1)[0]}`,
  );
  emit({
    type: 'warning',
    code: error.code,
    text: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
  return error.code === 'DISK_FULL'
    ? new RegistryError(507, 'UNKNOWN', 'no space is left in the registry')
    : new RegistryError(500, 'UNKNOWN', 'the registry failed');
}
