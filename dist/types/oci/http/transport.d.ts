import { type NetworkLimits } from '../../core/network-limits.ts';
import { type TlsOptions } from './tls-profiles.ts';
import type { HttpRequest, HttpResponse, ProxySettings } from './types.ts';
export interface TransportOptions extends TlsOptions {
    readonly proxy?: ProxySettings;
    /** Connections to one host at a time; as many as a probe has requests for the steps of a long Dockerfile, so that it need not wait. */
    readonly connections?: number;
    readonly userAgent?: string;
    /** How long servers may take. */
    readonly limits?: NetworkLimits;
}
/** One HTTP exchange: no redirects, no retries. */
export interface Transport {
    /** @throws whatever the connection fails with; TooSlow, also from the body */
    send(request: HttpRequest): Promise<HttpResponse>;
    /** Whether plain HTTP and any certificate will do for a host. */
    isInsecure(host: string): boolean;
    close(): Promise<void>;
}
/** HTTP/1.1 over kept-alive connections, through the proxies that apply. Nothing is read from the environment. */
export declare function createTransport(options: TransportOptions): Transport;
