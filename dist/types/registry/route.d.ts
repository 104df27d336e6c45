import { type ContentDigest } from '../core/digest.ts';
import type { Route } from './types.ts';
/** A request's target, taken apart. */
export interface Target {
    /** As it was sent: what is escaped in it, or goes up, is not resolved. */
    readonly path: string;
    readonly query: URLSearchParams;
}
/**
 * Takes the target of a request apart (RFC 9112, section 3.2: a path, or the whole URL). Nothing in it is normalised, so
 * that a name is what the client sent or nothing: no part of the API's paths needs escaping.
 * @throws RegistryError 400 when it is neither
 */
export declare function parseTarget(target: string): Target;
/**
 * Reads the path of a request (OCI distribution spec, "Endpoints"); undefined when it is none of the API's.
 * @throws RegistryError for a malformed name, tag or digest
 */
export declare function parseRoute(path: string): Route | undefined;
/** @throws RegistryError DIGEST_INVALID */
export declare function checkedDigest(text: string): ContentDigest;
/** @throws RegistryError MANIFEST_INVALID */
export declare function checkedTag(text: string): string;
