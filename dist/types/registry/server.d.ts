import { type HandlerOptions } from './handler.ts';
import { type PaceLimits } from './pace.ts';
export interface ServerOptions extends Omit<HandlerOptions, 'pace'> {
    readonly host: string;
    /** 0 for any that is free. */
    readonly port: number;
    /** PEM; plain HTTP when left out. */
    readonly tls?: {
        readonly cert: string;
        readonly key: string;
    };
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
/** Listens. @throws AppError CACHE_DIR for the directory, USAGE for the address or the certificate */
export declare function startRegistryServer(options: ServerOptions): Promise<RegistryServer>;
