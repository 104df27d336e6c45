import type { Reference } from './types.ts';
export declare const DOCKER_HUB = "docker.io";
/** Whether a string can be a tag (OCI distribution spec, "Pulling manifests"). */
export declare function isTag(text: string): boolean;
/** Whether a string can be the name of a repository within a registry. */
export declare function isRepository(text: string): boolean;
/**
 * Parses an image reference as Docker does: `[registry/]repository[:tag][@digest]`. A first part without a dot or a port
 * that is not `localhost` belongs to Docker Hub, where a name of one part is below `library/`. No tag is made up: see
 * tagOrDigest.
 * @throws AppError REFERENCE, with a hint that names what to change
 */
export declare function parseReference(text: string): Reference;
/** What to resolve a reference by: its digest, else its tag, else `latest`. */
export declare function tagOrDigest(reference: Reference): string;
/** A reference in full: registry, repository, then tag and digest where they are given. */
export declare function formatReference(reference: Omit<Reference, 'familiar'>): string;
