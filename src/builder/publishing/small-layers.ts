import type { LayerRef } from '../../cache/types.ts';
import type { Digest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { readAll } from '../../oci/readable.ts';
import type { Store } from '../../oci/types.ts';

/**
 * Layers that are read when they are asked for: one request stands for three where a registry takes as long to say that it
 * has a few hundred bytes as to send them.
 */
export interface SmallLayers {
  /**
   * As Store.has; a small layer is read, as far as there is room.
   *
   * @throws what the store's has throws; a layer that cannot be read is only asked for, and whoever reads it finds out
   */
  has(layer: LayerRef, signal?: AbortSignal): Promise<number | undefined>;
  /** The bytes of a layer that was read, which match its digest. */
  bytes(digest: Digest): Buffer | undefined;
}

/** The most bytes of a layer that is small. */
export const SMALL_LAYER = 32 * 1024;
/** Bytes that all of them take at most. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The small layers of a store whose answers come over a network; of another one there are none. */
export function createSmallLayers(store: Store): SmallLayers {
  const kept = new Map<Digest, Buffer>();
  let room = store.readInto ? 0 : MOST_BYTES;
  const read = async ({ digest, size }: LayerRef, signal?: AbortSignal): Promise<boolean> => {
    if (size > SMALL_LAYER || size > room) return false;
    room -= size;
    try {
      const tooLong = (): Error =>
        new AppError('CORRUPT', `there is more of the layer ${digest} than ${size} bytes`);
      // The store minds the time.
      const bytes = await readAll(await store.get(digest, undefined, signal), size, tooLong, Infinity);
      if (bytes.length !== size) return false;
      kept.set(digest, bytes);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      return false;
    }
  };
  return {
    has: async (layer, signal) =>
      kept.has(layer.digest) || (await read(layer, signal)) ? layer.size : store.has(layer.digest, signal),
    bytes: (digest) => kept.get(digest),
  };
}
