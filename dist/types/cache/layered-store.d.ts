import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { Store } from '../oci/types.ts';
/** Several repositories that are read as one. */
export interface LayeredStore extends Store {
    /** The repository that a blob is read from; undefined where none holds it. */
    locate(digest: Digest, signal?: AbortSignal): Promise<Store | undefined>;
}
/**
 * A repository that is never written to, and that a build can do without: once it cannot be asked, it counts as empty,
 * with one warning.
 */
export declare function createReadOnlyStore(store: Store, { emit }: {
    readonly emit: Emit;
}): Store;
/**
 * Reads from the first of the repositories that holds what is wanted, all asked at once, and writes to the last one.
 * @param stores at least one; an error of any is thrown unless an earlier one has the answer
 */
export declare function createLayeredStore(stores: readonly Store[]): LayeredStore;
