import { type Emit } from '../../core/events.ts';
import { type RetryPolicy } from '../../core/retry.ts';
import { type TransportOptions } from './transport.ts';
import type { CredentialSource, RegistryClient } from './types.ts';
export interface ClientOptions extends TransportOptions {
    /** Anonymous when left out. */
    readonly credentials?: CredentialSource;
    readonly emit?: Emit;
    readonly retry?: RetryPolicy;
}
/**
 * A client for the OCI distribution API of any number of registries. HTTPS; plain HTTP is tried as well for loopback
 * hosts, as Docker does, and for every host when `insecure`.
 */
export declare function createRegistryClient(options?: ClientOptions): RegistryClient;
