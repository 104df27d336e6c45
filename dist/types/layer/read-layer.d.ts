import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import { type DecodeOptions } from './decode-stream.ts';
import type { LayerReader } from './types.ts';
/**
 * Reads a layer of any compression in order.
 * @param _mediaType not trusted: the bytes say how they are compressed
 * @param what names the layer in errors, usually its digest
 * @param options `brief` concerns the contents of files
 * @throws AppError CORRUPT from the iteration
 */
export declare function readLayer(stream: Readable, _mediaType: string, what: string, options?: Pick<DecodeOptions, 'brief'>): LayerReader;
/** The diffID of a layer: the digest of its plain bytes (OCI image spec, "Layer DiffID"). @throws AppError CORRUPT */
export declare function diffIdOf(stream: Readable, what: string): Promise<Digest>;
