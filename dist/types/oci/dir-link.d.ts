import { type ContentDigest } from '../core/digest.ts';
/** Writes a link of CNCF Distribution's layout, whole or not at all. @param scratch on the same file system */
export declare function placeLink(scratch: string, target: string, digest: ContentDigest): void;
/** The digest that a link holds; undefined when there is none, or it is damaged. */
export declare function readLink(path: string): ContentDigest | undefined;
/** Removes a link with its directory. @returns whether it was there */
export declare function removeLink(path: string): boolean;
