import type { Readable } from 'node:stream';
import { type ContentDigest } from '../core/digest.ts';
import type { Storage } from './types.ts';
/** An upload that exists: a directory in the repository's `_uploads`, so that any process can go on with it. */
export interface UploadId {
    readonly repository: string;
    readonly id: string;
}
/** The files of unfinished uploads. */
export interface UploadFiles {
    begin(repository: string): UploadId;
    /** Bytes that have arrived. @throws RegistryError BLOB_UPLOAD_UNKNOWN */
    sizeOf(upload: UploadId): number;
    /**
     * Adds bytes; what arrives before a connection breaks is kept. A second writer takes over from the first one, whose
     * connection is then dead.
     * @param start where the bytes belong; at the end when left out
     * @returns the new size
     * @throws RegistryError BLOB_UPLOAD_UNKNOWN; 416 with the size when they belong elsewhere
     */
    append(upload: UploadId, body: Readable, start?: number): Promise<number>;
    /**
     * Makes the upload a blob of its repository once its content is verified; it is gone afterwards either way.
     * @throws RegistryError DIGEST_INVALID, BLOB_UPLOAD_UNKNOWN
     */
    finish(upload: UploadId, digest: ContentDigest): Promise<void>;
    /** @throws RegistryError BLOB_UPLOAD_UNKNOWN */
    cancel(upload: UploadId): void;
}
/** Uploads as directories below the repositories' `_uploads`, as CNCF Distribution lays them out. */
export declare function createUploadFiles(storage: Storage): UploadFiles;
/** How much of an upload is there, as a Range header says it. */
export declare function heldRange(size: number): string;
