import type { Challenge } from './challenge.ts';
import type { Transport } from './transport.ts';
import type { Credential } from './types.ts';
/** A bearer token, and until when it may be used (milliseconds since the epoch, our clock). */
export interface Token {
    readonly value: string;
    readonly expires: number;
}
export interface TokenRequest {
    readonly registry: string;
    /** The registry's own base URL. */
    readonly base: string;
    readonly challenge: Challenge;
    readonly scopes: readonly string[];
    readonly credential: Credential | undefined;
    readonly insecure: boolean;
}
/**
 * Asks a token server for a bearer token (Distribution, "Token Authentication Specification"): GET with basic
 * authorisation or anonymously, or an OAuth2 refresh when the credential is an identity token.
 * @throws AppError AUTH when it refuses; REGISTRY when it cannot be reached
 */
export declare function fetchToken(transport: Transport, request: TokenRequest): Promise<Token>;
/** The value of an Authorization header for a user and password (RFC 7617). */
export declare function basicHeader(username: string, password: string): string;
