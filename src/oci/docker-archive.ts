import { once } from 'node:events';
import { pipeline, type Readable, type Writable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { ustarEnd, ustarHeader, ustarPadding } from '../tar/file-header.ts';
import { FILE_CHUNK } from './blob-source.ts';
import { canonicalJson } from './canonical-json.ts';
import { layerCompression } from './media-types.ts';
import { DOCKER_HUB, parseReference } from './reference.ts';

/** A layer of an image that is written as an archive. */
export interface ArchiveLayer {
  readonly mediaType: string;
  readonly diffId: Digest;
  /** Bytes of the blob as it is stored. */
  readonly size: number;
  /** Bytes of the plain tar where that is known; a zstd layer without it is decoded twice. */
  readonly tarSize?: number;
  /** A new stream over the stored blob each time it is called, verified. */
  open(): Promise<Readable>;
}

export interface DockerArchiveRequest {
  readonly config: Buffer;
  /** Lowest first. */
  readonly layers: readonly ArchiveLayer[];
  /** References; `latest` where one has no tag, and digests are dropped. */
  readonly tags: readonly string[];
}

/**
 * Writes what `docker load` reads (Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format"):
 * layers, config, manifest.json. Old engines cannot read zstd, so such layers are written as plain tar; others as they
 * are. Same image, same bytes. `out` is ended.
 * @throws AppError OUTPUT, DISK_FULL, CORRUPT, and what reading the layers throws
 */
export async function writeDockerArchive(request: DockerArchiveRequest, out: Writable): Promise<void> {
  const write = createWriter(out);
  const names = request.layers.map((layer) => `${hexOf(layer.diffId)}.tar`);
  const config = `${hexOf(digestOf(request.config))}.json`;
  const manifest = [{ Config: config, RepoTags: request.tags.map(repoTag), Layers: names }];
  for (const [i, layer] of request.layers.entries()) {
    if (names.indexOf(names[i]!) !== i) continue;
    await writeLayer(write, names[i]!, layer);
  }
  for (const [name, bytes] of [
    [config, request.config],
    ['manifest.json', canonicalJson(manifest)],
  ] as const) {
    await write(Buffer.concat([ustarHeader(name, bytes.length), bytes, ustarPadding(bytes.length)]));
  }
  await write(ustarEnd());
  await finish(out);
}

type Write = (bytes: Uint8Array) => Promise<void>;

async function writeLayer(write: Write, name: string, layer: ArchiveLayer): Promise<void> {
  const size = await contentSize(layer);
  await write(ustarHeader(name, size));
  let written = 0;
  for await (const chunk of await openContent(layer)) {
    written += (chunk as Buffer).length;
    await write(chunk as Buffer);
  }
  if (written !== size) {
    throw new AppError('CORRUPT', `a layer has ${written} bytes instead of ${size}`, {
      where: { layer: layer.diffId },
    });
  }
  await write(ustarPadding(size));
}

async function contentSize(layer: ArchiveLayer): Promise<number> {
  if (layerCompression(layer.mediaType) !== 'zstd') return layer.size;
  if (layer.tarSize !== undefined) return layer.tarSize;
  let size = 0;
  for await (const chunk of await openContent(layer)) size += (chunk as Buffer).length;
  return size;
}

async function openContent(layer: ArchiveLayer): Promise<Readable> {
  const stored = await layer.open();
  if (layerCompression(layer.mediaType) !== 'zstd') return stored;
  // The callback is what makes an error of the source fail the decoder as well.
  return pipeline(stored, createZstdDecompress({ chunkSize: FILE_CHUNK }), () => {});
}

function createWriter(out: Writable): Write {
  let failure: unknown;
  out.on('error', (error) => {
    failure ??= error;
  });
  const check = (): void => {
    if (failure !== undefined) throw toAppError(failure, 'OUTPUT', 'cannot write the image archive');
  };
  return async (bytes) => {
    check();
    if (out.write(bytes)) return;
    await once(out, 'drain').catch(() => {});
    check();
  };
}

async function finish(out: Writable): Promise<void> {
  try {
    out.end();
    if (!out.writableFinished) await once(out, 'finish');
  } catch (error) {
    throw toAppError(error, 'OUTPUT', 'cannot write the image archive');
  }
}

function repoTag(text: string): string {
  const { registry, repository, tag = 'latest' } = parseReference(text);
  const familiar =
    registry === DOCKER_HUB ? repository.replace(/^library\//, '') : `${registry}/${repository}`;
  return `${familiar}:${tag}`;
}
