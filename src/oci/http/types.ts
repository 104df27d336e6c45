import type { Readable } from 'node:stream';
import type { Emit } from '../../core/events.ts';
import type { NetworkLimits } from '../../core/network-limits.ts';
import type { RetryPolicy } from '../../core/retry.ts';

/** What a registry accepts: a password, a token to exchange (OAuth2 refresh token), or a token to send as it is. */
export type Credential = (
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }
  | { readonly registryToken: string }
) & {
  /** For messages: the file, or the program, that it comes from. */
  readonly from?: string;
};

/** Looks up the credential for a registry's host (`docker.io` for Docker Hub); undefined means anonymous. */
export type CredentialSource = (registry: string) => Promise<Credential | undefined>;

/** The values of the usual proxy variables: URLs, and the comma separated NO_PROXY list. */
export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  readonly noProxy?: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for every try; a stream needs `content-length` among the headers. */
  readonly body?: () => Readable | Buffer | string;
  readonly signal?: AbortSignal;
  /**
   * Whether the request or its answer is a small document (the default), which must be through within a time, or content of
   * any size, whose reader sees to its pace.
   */
  readonly carries?: 'document' | 'content';
  /** When the first request of a chain of redirects was sent, in performance.now()'s milliseconds; all share its time. */
  readonly since?: number;
}

/** `body` must be read to its end or destroyed. */
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; of repeated headers the values, joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

/** A request to a registry's API. */
export interface RegistryRequest extends Omit<HttpRequest, 'url'> {
  /** Below `/v2/`, or an absolute URL that the registry gave. */
  readonly path: string;
  /** Token scopes that it needs (Distribution, "Token Scope Documentation"), as `repository:a/b:pull`. */
  readonly scopes: readonly string[];
  /** Statuses to return; any other is thrown as AppError. */
  readonly accept: readonly number[];
  /** For messages, as "pull debian:12 from docker.io". */
  readonly what: string;
  /** Tries in all; the client's policy when left out. */
  readonly attempts?: number;
}

/** Connections, tokens and known facts of registries, shared by all stores of a run. */
export interface RegistryClient {
  /**
   * Sends a request with the registry's authorisation; redirects are followed, and failures that pass are tried again.
   * @throws AppError REGISTRY, AUTH, REFERENCE (404)
   */
  request(registry: string, request: RegistryRequest): Promise<HttpResponse>;
  /** Whether an answer of the registry has said that it goes by conditions of PUT. */
  knowsConditions(registry: string): boolean;
  /** Closes all connections; what is still under way fails. */
  close(): Promise<void>;
  readonly emit: Emit;
  readonly policy: RetryPolicy;
  readonly limits: NetworkLimits;
  /** How long to wait before trying again after an error of `request` or of a body; undefined when that is no use. */
  delayFor(error: unknown, suggestedMs: number): number | undefined;
}
