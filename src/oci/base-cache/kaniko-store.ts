import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { openPlainFile, realPathOf, streamPlainFile } from '../../sys/plain.ts';
import { fileSize, ifExists, readSmallFile } from '../blob-file.ts';
import { FILE_CHUNK } from '../blob-source.ts';
import { manifestMediaType, parseManifestDocument } from '../manifest.ts';
import { iteratedReadable } from '../readable.ts';
import type { ByteRange, Store } from '../types.ts';

/** Where a blob's bytes lie in an archive. */
interface Place {
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
const MAX_ENTRIES = 10_000;
const contents = v.pipe(v.array(v.object({ Config: v.string(), Layers: v.array(v.string()) })), v.length(1));

/** The archive and the raw manifest of an image, as the image warmer of kaniko names them. */
export function kanikoFiles(
  dir: string,
  digest: Digest,
): { readonly archive: string; readonly manifest: string } {
  return { archive: join(dir, digest), manifest: join(dir, `${digest}.json`) };
}

/**
 * A directory of the image warmer of kaniko, to read from: `sha256:…` is an archive with a config and the layers as they
 * were pulled, `sha256:….json` the manifest of that digest. The blobs of an image are found once its manifest was
 * resolved. An image without its manifest, and an archive that is not whole, count as absent.
 */
export function createKanikoStore(dir: string): Store {
  const places = new Map<Digest, Place>();
  const readOnly = (): never => {
    throw new AppError('INTERNAL', `${dir} is only read from`);
  };
  return {
    name: dir,
    resolve: async (digest) => {
      if (!isDigest(digest)) return undefined;
      const { archive, manifest } = kanikoFiles(realPathOf(dir), digest);
      const bytes = ifExists(() => readSmallFile(manifest));
      if (bytes === undefined || digestOf(bytes) !== digest) return undefined;
      const document = parseManifestDocument(bytes, manifest);
      if (document.kind !== 'manifest') return undefined;
      const { config, layers } = document.manifest;
      const found = ifExists(() => readContents(archive));
      if (found?.layers.length !== layers.length) return undefined;
      const pairs = [
        [config, found.config] as const,
        ...layers.map((layer, i) => [layer, found.layers[i]] as const),
      ];
      if (pairs.some(([blob, place]) => place?.size !== blob.size)) return undefined;
      for (const [blob, place] of pairs) if (place) places.set(blob.digest, place);
      const mediaType = manifestMediaType(bytes, manifest);
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },
    has: async (digest) => places.get(digest)?.size,
    get: async (digest, range, signal) => {
      const place = places.get(digest);
      if (place === undefined) throw new AppError('REFERENCE', `there is no blob ${digest} in ${dir}`);
      if (range !== undefined) return readPart(place, range);
      return iteratedReadable((abort) => verified(place, digest, abort), signal);
    },
    put: async () => readOnly(),
    tag: async () => readOnly(),
  };
}

/** Where config and layers lie in an archive; undefined when it is cut off or no image. */
function readContents(
  file: string,
): { readonly config: Place | undefined; readonly layers: readonly (Place | undefined)[] } | undefined {
  const total = fileSize(file) ?? 0;
  const fd = openPlainFile(file);
  try {
    const entries = new Map<string, Place>();
    const header = Buffer.alloc(BLOCK);
    for (let at = 0; at + BLOCK <= total && entries.size < MAX_ENTRIES; ) {
      readSync(fd, header, 0, BLOCK, at);
      if (header[0] === 0) break;
      const size = sizeOf(header);
      const offset = at + BLOCK;
      if (!Number.isSafeInteger(size) || offset + size > total) return undefined;
      entries.set(textOf(header, 0, 100), { file, offset, size });
      at = offset + Math.ceil(size / BLOCK) * BLOCK;
    }
    const list = entries.get('manifest.json');
    if (list === undefined || list.size > 16 * 1024 * 1024) return undefined;
    const bytes = Buffer.alloc(list.size);
    readSync(fd, bytes, 0, list.size, list.offset);
    const parsed = v.safeParse(contents, JSON.parse(bytes.toString('utf8')));
    if (!parsed.success) return undefined;
    const { Config, Layers } = parsed.output[0]!;
    return { config: entries.get(Config), layers: Layers.map((name) => entries.get(name)) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The size field of a tar header: octal, or GNU's base-256. */
function sizeOf(header: Buffer): number {
  if (header[124]! & 0x80) return Number(header.readBigUInt64BE(128));
  return Number.parseInt(textOf(header, 124, 12).trim() || '0', 8);
}

function textOf(header: Buffer, at: number, length: number): string {
  const text = header.toString('latin1', at, at + length);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function readPart({ file, offset, size }: Place, range: ByteRange): Readable {
  const length = Math.max(0, Math.min(range.length ?? size, size - range.offset));
  return streamPlainFile(file, { start: offset + range.offset, length, highWaterMark: FILE_CHUNK });
}

async function* verified(
  place: Place,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { file, offset, size } = place;
  const hash = createHash('sha256');
  const stream = streamPlainFile(file, {
    start: offset,
    length: size,
    highWaterMark: FILE_CHUNK,
    signal,
  });
  let held: Buffer | undefined;
  // The last chunk waits for the verdict, so that nobody ever gets all bytes of a damaged blob.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (`sha256:${hash.digest('hex')}` !== digest) {
    throw new AppError('CORRUPT', `a blob in ${file} does not match its digest ${digest}`, {
      hint: 'the file was damaged: fetch the image again with `envbuilder warm --force`',
      where: { path: file, layer: digest },
    });
  }
  if (held !== undefined) yield held;
}
