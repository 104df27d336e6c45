import type { LayerEntry } from '../tar/types.ts';
import { type LayerWriterOptions } from './layer-writer.ts';
import type { LayerResult } from './types.ts';
/** A layer writer whose blob goes into a new file. */
export interface FileLayerWriter {
    readonly file: string;
    add(entry: LayerEntry, content?: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>;
    /** The finished layer. @throws AppError; the file is then removed */
    finish(): Promise<LayerResult>;
    /** Gives up and removes the file. */
    abandon(): void;
}
/**
 * @param options.onWrite is told how many more bytes of the blob the file holds now
 * @throws AppError OUTPUT, DISK_FULL; a failure at any point removes the file
 */
export declare function createFileLayerWriter(file: string, { onWrite, ...options }: Omit<LayerWriterOptions, 'sink'> & {
    readonly onWrite?: (bytes: number) => void;
}): FileLayerWriter;
