import { open } from 'node:fs/promises';
import { FILE_CHUNK } from '../../oci/blob-source.ts';

/** A file that is read while it is written. */
export interface GrowingFile {
  /** So many more bytes are in the file. */
  grew(bytes: number): void;
  /** The file is whole and right, and all of it may be read. */
  complete(): void;
  /** It will not be whole; whoever reads it gets this error. */
  fail(error: unknown): void;
  /** Its bytes from `offset` on. Nobody gets the last one before the file is complete. */
  read(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void>;
}

/** @param size how long the file will be */
export function createGrowingFile(path: string, size: number): GrowingFile {
  let written = 0;
  let complete = false;
  let failure: { readonly error: unknown } | undefined;
  let change = Promise.withResolvers<void>();
  const changed = (): void => {
    const { resolve } = change;
    change = Promise.withResolvers();
    resolve();
  };
  /** Bytes that may be read, once they are more than `at`. */
  const beyond = async (at: number, signal: AbortSignal): Promise<number> => {
    for (;;) {
      signal.throwIfAborted();
      if (failure) throw failure.error;
      const readable = complete ? size : Math.min(written, size - 1);
      if (readable > at) return readable;
      await change.promise;
    }
  };
  return {
    grew: (bytes) => {
      written += bytes;
      changed();
    },
    complete: () => {
      complete = true;
      changed();
    },
    fail: (error) => {
      failure = { error };
      changed();
    },
    read: async function* (offset, signal) {
      signal.addEventListener('abort', changed);
      let file: Awaited<ReturnType<typeof open>> | undefined;
      try {
        for (let at = offset; at < size; ) {
          const readable = await beyond(at, signal);
          file ??= await open(path);
          const chunk = Buffer.allocUnsafe(Math.min(FILE_CHUNK, readable - at));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          if (bytesRead === 0) return;
          at += bytesRead;
          yield chunk.subarray(0, bytesRead);
        }
      } catch (error) {
        // A file that will not be whole may be gone before anybody has opened it.
        throw failure ? failure.error : error;
      } finally {
        signal.removeEventListener('abort', changed);
        await file?.close();
      }
    },
  };
}
