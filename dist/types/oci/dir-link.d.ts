import { type ContentDigest } from '../core/digest.ts';
import type { DirLayout } from './dir-layout.ts';
/** Writes a link of CNCF Distribution's layout, whole or not at all. @param scratch on the same file system */
export declare function placeLink(scratch: string, target: string, digest: ContentDigest): void;
/**
 * Writes a link that is not there yet, whole or not at all; of any number of processes that do so at once, one succeeds.
 * @returns false where it is there with another digest
 */
export declare function createLink(scratch: string, target: string, digest: ContentDigest): boolean;
/** The digest that a link holds; undefined when there is none, or it is damaged. */
export declare function readLink(path: string): ContentDigest | undefined;
/** Removes a link with its directory. @returns whether it was there */
export declare function removeLink(path: string): boolean;
/** Removes a tag with its history. The link goes first, so that a killed process leaves no tag that is half there. */
export declare function removeTag({ tags }: Pick<DirLayout, 'tags'>, tag: string): boolean;
