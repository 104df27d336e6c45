import { AppError } from '../core/error.ts';
import type { Emit, Event } from '../core/events.ts';
import { type CollectionSchedule, startCollections } from '../registry/collections.ts';
import { createHtpasswdGuard, type HtpasswdGuard } from '../registry/htpasswd.ts';
import { accessLine, observers, type RequestRecord } from '../registry/observe.ts';
import { createReloadedFile } from '../registry/reloaded-file.ts';
import { parseRights } from '../registry/rights.ts';
import { type RegistryServer, startRegistryServer } from '../registry/server.ts';

export interface ServeOptions {
  /** The directory that is served, in the layout of CNCF Distribution; made on the first write. */
  readonly dir: string;
  /** Loopback when left out. */
  readonly host?: string;
  /** Any that is free when left out. */
  readonly port?: number;
  /** PEM; plain HTTP when left out. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** A file of users with bcrypt hashes (`htpasswd -B`); everybody may read and write when left out. */
  readonly htpasswd?: string;
  /** A file that says what the users of `htpasswd` may do; everything when left out. */
  readonly rights?: string;
  /** Where metrics are to be had; nowhere when left out. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** Collects garbage meanwhile; never when left out. */
  readonly collect?: Omit<CollectionSchedule, 'root'>;
  /** Told of each request that has ended, with a line of the access log. */
  readonly onAccess?: (line: string) => void;
  readonly onEvent?: (event: Event) => void;
}

/**
 * Serves a directory as a registry, until its `close` is called.
 * @throws AppError CACHE_DIR for the directory, USAGE for an address, the certificate, or the files of users and rights
 */
export async function serve(options: ServeOptions): Promise<RegistryServer> {
  const { dir, host = '127.0.0.1', port = 0, tls, metrics: metricsAt, collect, onAccess } = options;
  const emit = options.onEvent ?? (() => {});
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const users = openUsers(options, emit);
    if (users !== undefined) closers.push(users.close);
    const metrics =
      metricsAt === undefined ? undefined : (await import('../registry/metrics.ts')).createMetrics(dir);
    const observer = observers([
      ...(metrics === undefined ? [] : [metrics.observer]),
      ...(onAccess === undefined
        ? []
        : [{ end: (record: RequestRecord): void => onAccess(accessLine(record)) }]),
    ]);
    const server = await startRegistryServer({
      root: dir,
      host,
      port,
      emit,
      ...(metrics === undefined && onAccess === undefined ? {} : { observer }),
      ...(tls === undefined ? {} : { tls }),
      ...(users === undefined ? {} : { guard: users.guard }),
    });
    closers.push(() => server.close(0));
    if (metrics !== undefined && metricsAt !== undefined) {
      const { startMetricsServer } = await import('../registry/metrics-server.ts');
      const { url, close } = await startMetricsServer(metrics, metricsAt);
      closers.push(close);
      emit({ type: 'message', level: 'info', text: `metrics are at ${url}` });
    }
    if (collect !== undefined)
      closers.push(startCollections({ root: dir, ...collect }, emit, observer.collected));
    return {
      url: server.url,
      close: async (graceMs) => {
        await server.close(graceMs);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** @throws AppError USAGE */
function openUsers({ htpasswd, rights }: ServeOptions, emit: Emit): HtpasswdGuard | undefined {
  if (htpasswd === undefined) {
    if (rights === undefined) return undefined;
    throw new AppError('USAGE', 'rights are given to users, and no users are named', {
      hint: 'name the file of users as well (--htpasswd)',
    });
  }
  const warn = (error: AppError): void =>
    emit({
      type: 'warning',
      code: error.code,
      text: `${error.message}; what it said before counts`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  const file =
    rights === undefined ? undefined : createReloadedFile(rights, (text) => parseRights(text, rights), warn);
  return createHtpasswdGuard(htpasswd, { ...(file === undefined ? {} : { rights: file }), onFailure: warn });
}
