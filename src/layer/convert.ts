import { createHash } from 'node:crypto';
import { AppError } from '../core/error.ts';
import type { CompressPool } from './compress-pool.ts';
import { createFileLayerWriter } from './file-layer-writer.ts';
import { readLayer } from './read-layer.ts';
import type { LayerBlob, LayerResult } from './types.ts';

/**
 * Writes the files of a layer of any compression into a layer of ours, which is unpacked in parallel. Its tar is not the
 * same, as others write headers in other ways, and so its diffID is not.
 *
 * @param file a path where nothing is yet; where this fails, nothing is left there
 * @throws AppError CORRUPT for a layer that is damaged, whose diffID is another, or which holds what a layer of ours cannot;
 *   OUTPUT, DISK_FULL, and what its store throws
 */
export async function convertLayer(
  layer: Pick<LayerBlob, 'open' | 'mediaType' | 'digest' | 'diffId'>,
  file: string,
  pool?: CompressPool,
): Promise<LayerResult> {
  const hash = createHash('sha256');
  const onPlain = (bytes: Buffer): void => void hash.update(bytes);
  const writer = createFileLayerWriter(file, { compression: 'zstd', ...(pool ? { pool } : {}) });
  try {
    const stream = await layer.open();
    try {
      for await (const { entry, content } of readLayer(stream, layer.mediaType, layer.digest, { onPlain }))
        await writer.add(entry, entry.type === 'file' && entry.size > 0 ? content : undefined);
    } finally {
      stream.destroy();
    }
    const diffId = `sha256:${hash.digest('hex')}`;
    if (diffId !== layer.diffId)
      throw new AppError(
        'CORRUPT',
        `the layer ${layer.digest} is ${diffId} unpacked, and not ${layer.diffId}`,
        {
          where: { layer: layer.digest },
        },
      );
    return await writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
