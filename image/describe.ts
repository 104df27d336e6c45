/*
 * Writes what the layer of a pushed image is that holds these files, so that a container need not make the layer to know
 * its digest.
 * Usage: describe.ts DIR NAME OUT, where DIR is a /.envbuilder
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCompressPool } from '../src/layer/compress-pool.ts';
import { addTree, listTree } from '../src/layer/fixed-tree.ts';
import { createLayerWriter } from '../src/layer/layer-writer.ts';
import { OWN } from './relocate.ts';
import { settle } from './settle.ts';

const [dir = '', name = '', out = ''] = process.argv.slice(2);
const files = listTree(dir);
const pool = createCompressPool();
try {
  const writer = createLayerWriter({ compression: 'zstd', pool, sink: () => {} });
  await addTree(writer.add, dir, OWN.slice(1), files);
  const { mediaType, digest, size, diffId } = await writer.finish();
  mkdirSync(join(out, OWN, 'app'), { recursive: true });
  const file = join(out, OWN, `app/layer-${name}.json`);
  writeFileSync(file, `${JSON.stringify({ files, layer: { mediaType, digest, size, diffId } })}\n`);
} finally {
  await pool.close();
}
settle(out);
