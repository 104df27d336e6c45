import { type ContentDigest } from '../core/digest.ts';
import type { DirLayout } from './dir-layout.ts';
/**
 * Marks files as used now, which is what a garbage collection goes by: it removes nothing that was used within its grace
 * period. Best effort, since a directory may be read-only. To be called under the directory's shared lock.
 */
export declare function markUsed(...paths: readonly string[]): void;
/** Marks everything that a manifest reaches as used now: blobs, manifests, and what those reach. */
export declare function markReached(layout: DirLayout, bytes: Buffer, seen?: Set<ContentDigest>): void;
/**
 * Every digest that a manifest names, annotations included: cache records name the layers of other records there. A
 * digest that names something else than content costs nothing.
 */
export declare function digestsIn(bytes: Buffer): readonly ContentDigest[];
