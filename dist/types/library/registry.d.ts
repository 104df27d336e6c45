import type { Event } from '../core/events.ts';
import { type RegistryServer } from '../registry/server.ts';
export interface ServeOptions {
    /** The directory that is served, in the layout of CNCF Distribution; made on the first write. */
    readonly dir: string;
    /** Loopback when left out. */
    readonly host?: string;
    /** Any that is free when left out. */
    readonly port?: number;
    /** PEM; plain HTTP when left out. */
    readonly tls?: {
        readonly cert: string;
        readonly key: string;
    };
    /** A file of users with bcrypt hashes (`htpasswd -B`); everybody may read and write when left out. */
    readonly htpasswd?: string;
    readonly onEvent?: (event: Event) => void;
}
/**
 * Serves a directory as a registry, until its `close` is called.
 * @throws AppError CACHE_DIR for the directory, USAGE for the address, the certificate or the file of users
 */
export declare function serve(options: ServeOptions): Promise<RegistryServer>;
