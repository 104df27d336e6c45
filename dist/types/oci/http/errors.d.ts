import { AppError } from '../../core/error.ts';
import type { HttpResponse } from './types.ts';
/** The cause of an error that a registry answered with. */
export interface RegistryAnswer {
    readonly status: number;
    /** The first code of its error body (OCI distribution spec, "Error Codes"), as BLOB_UNKNOWN. */
    readonly code?: string;
    readonly retryAfterMs?: number;
}
/** What a registry answered, when an error is one that it answered with. */
export declare function answerOf(error: unknown): RegistryAnswer | undefined;
/** Whether a registry took offence at a manifest itself, so that another form of it may be taken. */
export declare function refusesManifest(error: unknown): boolean;
/** A URL without credentials, query and fragment, all of which may hold tokens. */
export declare function redactUrl(url: string): string;
/** The error for an answer that is not accepted. Reads its body, up to a bound, and for `ms` milliseconds at most. */
export declare function answerError(what: string, registry: string, response: HttpResponse, ms?: number): Promise<AppError>;
/** The error for a request that got no answer, or whose answer broke off. An AppError stays what it is. */
export declare function networkError(what: string, registry: string, url: string, thrown: unknown): AppError;
/**
 * How long to wait before the same request may succeed, or undefined when it will not.
 * @param suggestedMs the delay when the registry asks for none
 */
export declare function transientDelay(error: unknown, suggestedMs: number): number | undefined;
