import type { Event } from '../core/events.ts';
import { createHtpasswdGuard } from '../registry/htpasswd.ts';
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
  readonly onEvent?: (event: Event) => void;
}

/**
 * Serves a directory as a registry, until its `close` is called.
 * @throws AppError CACHE_DIR for the directory, USAGE for the address, the certificate or the file of users
 */
export async function serve(options: ServeOptions): Promise<RegistryServer> {
  const { dir, host = '127.0.0.1', port = 0, tls, htpasswd, onEvent = () => {} } = options;
  const users = htpasswd === undefined ? undefined : createHtpasswdGuard(htpasswd);
  try {
    const server = await startRegistryServer({
      root: dir,
      host,
      port,
      emit: onEvent,
      ...(tls === undefined ? {} : { tls }),
      ...(users === undefined ? {} : { guard: users.guard }),
    });
    return {
      url: server.url,
      close: async (graceMs) => {
        await server.close(graceMs);
        await users?.close();
      },
    };
  } catch (error) {
    await users?.close();
    throw error;
  }
}
