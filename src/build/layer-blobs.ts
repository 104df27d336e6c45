import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LayerRef } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { LayerBlob } from '../layer/types.ts';
import type { BlobSource, Image, Store } from '../oci/types.ts';
import type { StagedLayer } from '../rootfs/types.ts';

/** Bytes of a file stream's chunk: large, since every chunk costs a turn of the event loop. */
const CHUNK = 1024 * 1024;

/** A layer that a store holds. */
export function storeBlob(store: Store, layer: LayerRef): LayerBlob {
  return {
    ...layer,
    from: store.name,
    open: () => store.get(layer.digest),
    readRange: async (offset, length) => {
      const stream = await store.get(layer.digest, { offset, length });
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      const bytes = Buffer.concat(parts);
      if (bytes.length === length) return bytes;
      throw new AppError('CORRUPT', `${store.name} returned ${bytes.length} of ${length} bytes of a layer`, {
        where: { layer: layer.digest },
      });
    },
  };
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
    open: async () => createReadStream(layer.file, { highWaterMark: CHUNK }),
    readRange: async (offset, length) => {
      const handle = await open(layer.file, 'r');
      try {
        const bytes = Buffer.allocUnsafe(length);
        await handle.read(bytes, 0, length, offset);
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
}

/** A staged layer as something to put into a store. */
export function stagedSource(layer: StagedLayer): BlobSource {
  return {
    digest: layer.digest,
    size: layer.size,
    file: layer.file,
    open: (offset = 0) => createReadStream(layer.file, { start: offset, highWaterMark: CHUNK }),
  };
}

/** The layers of an image, lowest first. */
export function imageBlobs(image: Image): LayerBlob[] {
  return image.parsed.layers.map((descriptor, i) =>
    storeBlob(image.store, {
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      diffId: image.config.rootfs.diff_ids[i]!,
    }),
  );
}

/** The facts of a staged layer that go into records. */
export function layerRef(layer: StagedLayer): LayerRef {
  const { mediaType, digest, size, diffId, toc } = layer;
  return { mediaType, digest, size, diffId, ...(toc ? { toc } : {}) };
}

/** Looks layers up wherever they are: among the staged ones first, then in the cache. */
export function createLayerLocator(store: Store | undefined): {
  stage(layer: StagedLayer): void;
  staged(digest: Digest): StagedLayer | undefined;
  blob(layer: LayerRef): LayerBlob;
} {
  const staged = new Map<Digest, StagedLayer>();
  return {
    stage: (layer) => {
      staged.set(layer.digest, layer);
    },
    staged: (digest) => staged.get(digest),
    blob: (layer) => {
      const local = staged.get(layer.digest);
      if (local) return stagedBlob(local);
      if (store) return storeBlob(store, layer);
      throw new AppError('INTERNAL', `layer ${layer.digest} is in no store`);
    },
  };
}
