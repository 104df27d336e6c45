import { type Emit } from '../../core/events.ts';
import { type NetworkLimits } from '../../core/network-limits.ts';
import { type RetryPolicy } from '../../core/retry.ts';
import type { Transport } from './transport.ts';
export interface DownloadOptions {
    /** Bytes. */
    readonly limit: number;
    /** Redirects to plain HTTP are followed. */
    readonly insecure?: boolean;
    readonly emit?: Emit;
    readonly policy?: RetryPolicy;
    readonly signal?: AbortSignal;
    /** How slow the server may be. */
    readonly limits?: NetworkLimits;
}
/**
 * A small file behind a URL, whole. Failures that pass are tried again.
 * @throws AppError REGISTRY, AUTH, REFERENCE (404)
 */
export declare function downloadFile(transport: Transport, url: string, { limit, insecure, emit, policy, signal, limits, }: DownloadOptions): Promise<Buffer>;
