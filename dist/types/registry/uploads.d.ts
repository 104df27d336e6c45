import { type Blobs } from './blobs.ts';
import type { Exchange, Storage } from './types.ts';
import { type UploadFiles, type UploadId } from './upload-files.ts';
/** Requests that bring blobs into a repository (OCI distribution spec, "Pushing blobs"). */
export interface Uploads {
    /** POST: a session, a whole blob, or a mount. */
    begin(exchange: Exchange, repository: string): Promise<void>;
    status(exchange: Exchange, upload: UploadId): Promise<void>;
    patch(exchange: Exchange, upload: UploadId): Promise<void>;
    finish(exchange: Exchange, upload: UploadId): Promise<void>;
    cancel(exchange: Exchange, upload: UploadId): Promise<void>;
}
/** @param blobs asked for what a mount names */
export declare function createUploads(storage: Storage, files: UploadFiles, blobs: Blobs): Uploads;
