import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hexOf } from '../core/digest.ts';
import { kanikoFiles } from '../oci/base-cache/kaniko-store.ts';
import { moveInto } from '../oci/blob-file.ts';
import { canonicalJson } from '../oci/canonical-json.ts';
import { formatReference } from '../oci/reference.ts';
import type { Image, Reference, Store } from '../oci/types.ts';
import { createEntry } from '../sys/entry.ts';
import { atPlain, realPathOf, touchPlain, writeNewPlain } from '../sys/plain.ts';
import { ustarEnd, ustarHeader, ustarPadding } from '../tar/file-header.ts';

/**
 * Writes an image as the image warmer of kaniko does, which is what go-containerregistry's `tarball.Write` makes: the config
 * under its digest, each layer as it was pulled under its hex digest with `.tar.gz`, then manifest.json. The archive
 * appears last and whole.
 * @param from where the layers are read, verified
 * @param scratch a directory on the same file system
 */
export async function writeKaniko(
  dir: string,
  image: Image,
  reference: Reference,
  { from, scratch, signal }: { readonly from: Store; readonly scratch: string; readonly signal: AbortSignal },
): Promise<void> {
  const files = kanikoFiles(realPathOf(dir), image.manifest.descriptor.digest);
  const [archive, manifest] = [join(scratch, 'archive'), join(scratch, 'manifest')];
  writeNewPlain(manifest, image.manifest.bytes);
  const fd = atPlain(archive, (entry) => createEntry(entry, 0o644));
  await pipeline(Readable.from(entries(image, reference, from, signal)), createWriteStream('', { fd }), {
    signal,
  });
  moveInto(manifest, files.manifest);
  moveInto(archive, files.archive);
  // kaniko ignores what is older than its own limit.
  touchPlain(files.archive);
}

async function* entries(
  { parsed, configBytes }: Image,
  reference: Reference,
  from: Store,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const config = parsed.config.digest;
  yield* small(config, configBytes);
  const names = parsed.layers.map(({ digest }) => `${hexOf(digest)}.tar.gz`);
  for (const [i, layer] of parsed.layers.entries()) {
    if (names.indexOf(names[i]!) !== i) continue;
    yield ustarHeader(names[i]!, layer.size);
    for await (const chunk of await from.get(layer.digest, undefined, signal)) yield chunk as Buffer;
    yield ustarPadding(layer.size);
  }
  const { tag = 'latest', digest, familiar: _, ...rest } = reference;
  const tags = digest === undefined ? [formatReference({ ...rest, tag })] : [];
  yield* small('manifest.json', canonicalJson([{ Config: config, RepoTags: tags, Layers: names }]));
  yield ustarEnd();
}

function* small(name: string, bytes: Buffer): Generator<Uint8Array, void> {
  yield ustarHeader(name, bytes.length);
  yield bytes;
  yield ustarPadding(bytes.length);
}
