import type { Transport } from './transport.ts';
import type { CredentialSource } from './types.ts';
/** The authorisation of one registry; shared by all its requests. */
export interface Authenticator {
    /**
     * The Authorization header for a request that needs these scopes, or undefined when none is known to be needed. Many
     * callers share one token; only the first request to a registry goes out before it is known how to authorise.
     */
    header(scopes: readonly string[]): Promise<string | undefined>;
    /**
     * Learns from the answer to a request sent with `used`.
     * @returns whether it is worth sending again with a new header
     */
    learn(answer: {
        readonly status: number;
        readonly challenge: string | undefined;
    }, used: Used): boolean;
    /** Lets waiting requests go when the first one got no answer. */
    release(): void;
}
export interface Used {
    readonly scopes: readonly string[];
    readonly header: string | undefined;
    /** When the request began, in milliseconds since the epoch; a token fetched since then is not stale. */
    readonly since: number;
}
export interface AuthenticatorOptions {
    readonly transport: Transport;
    readonly registry: string;
    readonly base: string;
    readonly credentials: CredentialSource;
    readonly insecure: boolean;
    /** Wraps the fetch of a token with retries. */
    readonly retrying: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}
/** @throws AppError AUTH, REGISTRY from `header` */
export declare function createAuthenticator(options: AuthenticatorOptions): Authenticator;
