import type { Store } from './types.ts';
/**
 * An OCI image layout directory as a store: `oci-layout`, `index.json` with one entry per tag, `blobs/sha256`. A manifest
 * put without a tag is only a blob, so tools do not list it. An existing layout is added to; written by one process at a
 * time.
 * @throws AppError OUTPUT when the directory holds something else, or cannot be made
 */
export declare function createOciLayoutStore(dir: string): Store;
