import type { ProxySettings } from './types.ts';
/**
 * The proxy for a URL, or undefined to connect directly, as Go's http.ProxyFromEnvironment decides: by the URL's scheme;
 * never for localhost and loopback addresses; never for what NO_PROXY lists (`*`, host, .domain, host:port, address,
 * CIDR block).
 */
export declare function proxyFor(url: URL, settings: ProxySettings): string | undefined;
/** Whether a host (without port) is localhost, in 127.0.0.0/8, or ::1. */
export declare function isLoopback(host: string): boolean;
