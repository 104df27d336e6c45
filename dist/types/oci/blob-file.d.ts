import { Readable } from 'node:stream';
import { type ContentDigest } from '../core/digest.ts';
import type { BlobSource, ByteRange } from './types.ts';
/**
 * A stream over a blob's file. Without a range it fails with AppError CORRUPT before it ends when the content does not
 * match the digest.
 * @param onCorrupt told about a mismatch before the stream fails
 * @throws AppError REFERENCE when there is no such file
 */
export declare function readBlobFile(path: string, digest: ContentDigest, range: ByteRange | undefined, onCorrupt?: () => void, signal?: AbortSignal): Readable;
/**
 * Fills `into` with a part of a blob's file, not verified, and gives how many bytes there were.
 * @throws AppError REFERENCE when there is no such file
 */
export declare function readBlobInto(path: string, digest: ContentDigest, offset: number, into: Uint8Array): Promise<number>;
/**
 * Reads a small blob's file whole and verifies it; undefined when there is none.
 * @throws AppError CORRUPT
 */
export declare function readSmallBlob(path: string, digest: ContentDigest): Buffer | undefined;
/** The size of a file in bytes, or undefined when it does not exist. */
export declare function fileSize(path: string): number | undefined;
/**
 * Brings a blob into `scratch`, whole and verified: a file that is known to be right is hard-linked, anything else is
 * written.
 * @returns the file, to be moved to its place
 * @throws AppError CORRUPT when the source does not match its digest, DISK_FULL
 */
export declare function stageBlob(source: BlobSource, scratch: string, signal?: AbortSignal): Promise<string>;
/**
 * Brings a blob to `target`, whole and verified or not at all, by way of `scratch`, which must be on the same file system.
 * Safe with other processes that do the same.
 * @throws AppError as stageBlob does
 */
export declare function storeBlobFile(source: BlobSource, target: string, scratch: string, signal?: AbortSignal): Promise<void>;
/** Renames a finished file to its place, making the directories above it. */
export declare function moveInto(staged: string, target: string): void;
/** The result of a file system call, or undefined when the file is not there. */
export declare function ifExists<T>(call: () => T): T | undefined;
