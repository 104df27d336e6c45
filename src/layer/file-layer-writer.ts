import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { toAppError } from '../core/error.ts';
import type { LayerEntry } from '../tar/types.ts';
import { createLayerWriter, type LayerWriterOptions } from './layer-writer.ts';
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
export function createFileLayerWriter(
  file: string,
  {
    onWrite = () => {},
    ...options
  }: Omit<LayerWriterOptions, 'sink'> & {
    readonly onWrite?: (bytes: number) => void;
  },
): FileLayerWriter {
  const fd = openSync(file, 'wx', 0o600);
  let open = true;
  const writer = createLayerWriter({
    ...options,
    sink: (chunk) => {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      onWrite(chunk.length);
    },
  });
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  const abandon = (): void => {
    writer.abandon();
    close();
    rmSync(file, { force: true });
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      abandon();
      throw toAppError(error, 'OUTPUT', `cannot write the layer ${file}`, { where: { path: file } });
    }
  };
  return {
    file,
    abandon,
    add: (entry, content) => guarded(() => writer.add(entry, content)),
    finish: async () => {
      const result = await guarded(() => writer.finish());
      close();
      return result;
    },
  };
}
