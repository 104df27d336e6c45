import type { BlobSource } from '../types.ts';
import type { RegistryClient } from './types.ts';
export interface Upload {
    readonly client: RegistryClient;
    readonly registry: string;
    readonly repository: string;
    readonly source: BlobSource;
    readonly signal?: AbortSignal;
}
/**
 * Uploads a blob (OCI distribution spec, "Pushing blobs"): mounted from another repository where that works, else in one
 * PUT, else in chunks. An upload that breaks goes on where the registry says it stands.
 * @throws AppError REGISTRY, AUTH; CORRUPT when the registry finds that the content is not the digest's
 */
export declare function uploadBlob(upload: Upload): Promise<'stored' | 'mounted'>;
