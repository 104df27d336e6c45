import { type Readable, type Writable } from 'node:stream';
import { type Digest } from '../core/digest.ts';
/** A layer of an image that is written as an archive. */
export interface ArchiveLayer {
    readonly mediaType: string;
    readonly diffId: Digest;
    /** Bytes of the blob as it is stored. */
    readonly size: number;
    /** Bytes of the plain tar where that is known; a zstd layer without it is decoded twice. */
    readonly tarSize?: number;
    /** A new stream over the stored blob each time it is called, verified. */
    open(): Promise<Readable>;
}
export interface DockerArchiveRequest {
    readonly config: Buffer;
    /** Lowest first. */
    readonly layers: readonly ArchiveLayer[];
    /** References; `latest` where one has no tag, and digests are dropped. */
    readonly tags: readonly string[];
}
/**
 * Writes what `docker load` reads (Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format"):
 * layers, config, manifest.json. Old engines cannot read zstd, so such layers are written as plain tar; others as they
 * are. Same image, same bytes. `out` is ended.
 * @throws AppError OUTPUT, DISK_FULL, CORRUPT, and what reading the layers throws
 */
export declare function writeDockerArchive(request: DockerArchiveRequest, out: Writable): Promise<void>;
