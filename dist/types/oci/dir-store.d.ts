import type { Store } from './types.ts';
export interface DirectoryStoreOptions {
    /** What `rootdirectory` is to CNCF Distribution; made on the first write. */
    readonly root: string;
    readonly repository: string;
}
/**
 * A repository in CNCF Distribution's file layout, so that `docker-registry serve` can serve the directory, before, after
 * and meanwhile. Any number of processes may use it at once, and any of them may be killed at any time: a blob, a
 * manifest or a tag is there whole or not at all. A blob found to be damaged counts as absent until it is put again.
 * @throws AppError CACHE_DIR when the root is a file or holds something else
 */
export declare function createDirectoryStore({ root, repository }: DirectoryStoreOptions): Store;
