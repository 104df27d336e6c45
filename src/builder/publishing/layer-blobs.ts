import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { LayerRef } from '../../cache/types.ts';
import type { Digest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { bytesSource, FILE_CHUNK, fileSource } from '../../oci/blob-source.ts';
import { lazyReadable } from '../../oci/readable.ts';
import type { BlobSource, Image, Store } from '../../oci/types.ts';
import { inLayer } from '../../rootfs/extract/errors.ts';
import type { StagedLayer } from '../../rootfs/types.ts';
import { tocOf } from './layer-table.ts';
import type { SmallLayers } from './small-layers.ts';

/**
 * A layer that a store holds.
 *
 * @param options `read`: its bytes, where they have been read and verified; `told`: the digest that errors name, where the
 *   layer stands for another one
 */
export function storeBlob(
  store: Store,
  layer: LayerRef,
  { read, told = layer.digest }: { readonly read?: Buffer | undefined; readonly told?: Digest } = {},
): LayerBlob {
  /** Whatever cannot be read is told with the layer, so that the build can do without it. */
  const located = (error: unknown): never => {
    throw error instanceof AppError ? inLayer({ digest: told, from: store.name }, error) : error;
  };
  return {
    ...layer,
    from: store.name,
    open: async () => (read ? bytesSource(read).open() : store.get(layer.digest).catch(located)),
    readRange: async (offset, length, into = Buffer.allocUnsafeSlow(length)) => {
      const get = async (): Promise<number> => {
        if (read) return read.copy(into, 0, offset, offset + length);
        return store.readInto
          ? store.readInto(layer.digest, offset, into)
          : fill(into, await store.get(layer.digest, { offset, length }));
      };
      const filled = await get().catch(located);
      if (filled === length) return into;
      throw new AppError('CORRUPT', `${store.name} returned ${filled} of ${length} bytes of a layer`, {
        where: { layer: told },
      });
    },
  };
}

/** Copies a stream into memory, as far as there is room, and gives the length of the stream. */
async function fill(into: Buffer, stream: AsyncIterable<Buffer>): Promise<number> {
  let filled = 0;
  for await (const part of stream) {
    if (filled < into.length) part.copy(into, filled);
    filled += part.length;
  }
  return filled;
}

/** A layer that this build made and that is still in a file. */
export function stagedBlob(layer: StagedLayer): LayerBlob {
  return {
    mediaType: layer.mediaType,
    digest: layer.digest,
    size: layer.size,
    diffId: layer.diffId,
    ...(layer.toc ? { toc: layer.toc } : {}),
    from: layer.file,
    open: async () => createReadStream(layer.file, { highWaterMark: FILE_CHUNK }),
    readRange: async (offset, length, into = Buffer.allocUnsafeSlow(length)) => {
      const handle = await open(layer.file, 'r');
      try {
        const { bytesRead } = await handle.read(into, 0, length, offset);
        return into.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

/** A staged layer as something to put into a store; our own writer computed its digest. */
export function stagedSource(layer: StagedLayer): BlobSource {
  return fileSource(layer.file, layer.digest, layer.size, true);
}

/** Any layer as something to put into a store. */
export function layerBlobSource(layer: LayerBlob): BlobSource {
  return {
    digest: layer.digest,
    size: layer.size,
    open: (offset = 0) => lazyReadable(async () => skipBytes(await layer.open(), offset)),
  };
}

function skipBytes(stream: Readable, count: number): Readable {
  if (count === 0) return stream;
  return Readable.from(rest(stream, count), { objectMode: false });
}

async function* rest(stream: Readable, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** The layers of an image, lowest first, with the tables that it names. */
export function imageBlobs(image: Image): LayerBlob[] {
  return image.parsed.layers.map((descriptor, i) => {
    const toc = tocOf(descriptor);
    return storeBlob(image.store, {
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      diffId: image.config.rootfs.diff_ids[i]!,
      ...(toc && { toc }),
    });
  });
}

/** The facts of a staged layer that go into records. */
export function layerRef(layer: StagedLayer): LayerRef {
  const { mediaType, digest, size, diffId, toc } = layer;
  return { mediaType, digest, size, diffId, ...(toc ? { toc } : {}) };
}

/** Looks layers up wherever they are: among the staged ones first, then among the small ones, then in the cache. */
export function createLayerLocator(
  store: Store | undefined,
  small?: SmallLayers,
): {
  stage(layer: StagedLayer): void;
  staged(digest: Digest): StagedLayer | undefined;
  blob(layer: LayerRef): LayerBlob;
  /** Whether a layer was to be read from the store. */
  fromStore(digest: Digest): boolean;
  /** A staged layer as something to put into a store. */
  stagedSource(digest: Digest): BlobSource | undefined;
} {
  const staged = new Map<Digest, StagedLayer>();
  const fromStore = new Set<Digest>();
  return {
    fromStore: (digest) => fromStore.has(digest),
    stage: (layer) => {
      staged.set(layer.digest, layer);
    },
    staged: (digest) => staged.get(digest),
    stagedSource: (digest) => {
      const local = staged.get(digest);
      return local && stagedSource(local);
    },
    blob: (layer) => {
      const local = staged.get(layer.digest);
      if (local) return stagedBlob(local);
      if (!store) throw new AppError('INTERNAL', `layer ${layer.digest} is in no store`);
      fromStore.add(layer.digest);
      return { ...storeBlob(store, layer, { read: small?.bytes(layer.digest) }), checkDiffId: true };
    },
  };
}
