import { digestOf } from '../../core/digest.ts';
import { ustarEnd, ustarHeader, ustarPadding } from '../../tar/file-header.ts';
import { bytesSource } from '../blob-source.ts';
import { canonicalJson } from '../canonical-json.ts';
import { MEDIA_TYPES } from '../media-types.ts';
import type { Descriptor, Store } from '../types.ts';

/** A tar with one file. */
export function oneFileTar(name: string, content: string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([ustarHeader(name, bytes.length), bytes, ustarPadding(bytes.length), ustarEnd()]);
}

/** Puts an image with one plain layer into a store. */
export async function putImage(
  store: Store,
  tag?: string,
  architecture = 'amd64',
  file = 'hello',
): Promise<Descriptor> {
  const layer = oneFileTar(file, `content of ${file}\n`);
  const config = canonicalJson({
    architecture,
    os: 'linux',
    config: { Env: ['A=b'], Entrypoint: null },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  await store.put(bytesSource(layer));
  await store.put(bytesSource(config));
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: MEDIA_TYPES.ociLayer, digest: digestOf(layer), size: layer.length }],
  });
  return store.tag(manifest, MEDIA_TYPES.ociManifest, tag);
}
