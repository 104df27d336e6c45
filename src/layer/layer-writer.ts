import { createHash } from 'node:crypto';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { layerMediaType } from '../oci/media-types.ts';
import { BLOCK, encodeHeader, padding } from '../tar/header.ts';
import type { LayerEntry } from '../tar/types.ts';
import { type CompressedFrame, type CompressPool, compressFrame, type FrameSlot } from './compress-pool.ts';
import { FRAME_BYTES } from './frames.ts';
import { createTocWriter } from './toc.ts';
import type { Compression, LayerResult, LayerWriter, TocFrame } from './types.ts';

export interface LayerWriterOptions {
  readonly compression: Compression;
  /** Without one, frames are compressed in this thread. */
  readonly pool?: CompressPool;
  /** Takes the blob's bytes in order. */
  readonly sink: (chunk: Buffer) => void | Promise<void>;
  /** Where it is known beforehand, and then not computed: for a layer whose digest is compared with a known one. */
  readonly diffId?: Digest;
}

/** A frame on its way: where it lies in the tar, and its compressed bytes to come. */
interface Pending {
  readonly tarOffset: number;
  readonly tarLength: number;
  readonly compressed: Promise<CompressedFrame> | CompressedFrame;
  readonly slot?: FrameSlot;
}

const ZEROS = Buffer.alloc(BLOCK * 2);
const FIRST_BYTES = 32 * 1024;

/**
 * Makes a layer: an ordinary tar, cut at entries into frames of 4 MiB that are compressed alone, and for zstd a table of
 * contents behind them. The bytes depend on the entries only, not on how content is chunked nor on the threads.
 * Memory holds a few frames, however large the layer.
 */
export function createLayerWriter(options: LayerWriterOptions): LayerWriter {
  const { compression, pool, sink, diffId } = options;
  const diff = createHash('sha256');
  const blob = createHash('sha256');
  const frames: TocFrame[] = [];
  const toc = compression === 'zstd' ? createTocWriter() : undefined;
  let entryCount = 0;
  const pending: Pending[] = [];
  /** The memory of the frame that is being filled: this writer's own for the first one, then the pool's. */
  let frame: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let slot: FrameSlot | undefined;
  let filled = 0;
  let tarOffset = 0;
  let size = 0;

  const flushOne = async (): Promise<void> => {
    const first = pending.shift();
    if (!first) return;
    try {
      const { bytes, digest } = await first.compressed;
      frames.push({
        offset: size,
        length: bytes.length,
        tarOffset: first.tarOffset,
        tarLength: first.tarLength,
        digest,
      });
      size += bytes.length;
      blob.update(bytes);
      await sink(bytes);
    } finally {
      first.slot?.release();
    }
  };

  /** A slot of the pool. What this writer holds is finished first, so that writers never wait for each other. */
  const takeSlot = async (from: CompressPool): Promise<FrameSlot> => {
    for (;;) {
      const free = from.tryTake();
      if (free) return free;
      if (pending.length === 0) return from.take();
      await flushOne();
    }
  };

  /** @param last a layer of a single frame is compressed at once, without waking a worker */
  const cut = async (last: boolean): Promise<void> => {
    if (filled === 0) return;
    const content = frame.subarray(0, filled);
    const tarFrame = { tarOffset: tarOffset - filled, tarLength: filled };
    if (diffId === undefined) diff.update(content);
    if (!pool || (last && slot === undefined)) {
      pending.push({ ...tarFrame, compressed: compressFrame(content, compression) });
      await flushOne();
    } else {
      if (slot === undefined) {
        slot = await takeSlot(pool);
        content.copy(slot.input);
      }
      const compressed = slot.compress(filled, compression);
      compressed.catch(() => {});
      pending.push({ ...tarFrame, compressed, slot });
      slot = last ? undefined : await takeSlot(pool);
      frame = slot?.input ?? Buffer.alloc(0);
    }
    filled = 0;
  };

  /** Makes room in the memory of the first frame, which most layers do not fill. */
  const grow = (wanted: number): void => {
    if (wanted <= frame.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(FRAME_BYTES, Math.max(wanted, 2 * frame.length)));
    frame.copy(larger, 0, 0, filled);
    frame = larger;
  };

  const append = async (bytes: Uint8Array): Promise<void> => {
    let at = 0;
    while (at < bytes.length) {
      if (filled === FRAME_BYTES) await cut(false);
      const count = Math.min(bytes.length - at, FRAME_BYTES - filled);
      grow(filled + count);
      frame.set(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), filled);
      filled += count;
      tarOffset += count;
      at += count;
    }
  };

  return {
    abandon: () => {
      slot?.release();
      for (const each of pending.splice(0)) each.slot?.release();
      slot = undefined;
    },
    add: async (entry, content) => {
      const header = encodeHeader(entry);
      const length = entry.type === 'file' ? entry.size : 0;
      if (filled > 0 && filled + header.length + length + padding(length) > FRAME_BYTES) await cut(false);
      await append(header);
      entryCount += 1;
      toc?.add(entry, length > 0 ? tarOffset : 0);
      if (length === 0) return;
      await appendContent(entry, content, append);
      await append(ZEROS.subarray(0, padding(length)));
    },
    finish: async () => {
      await append(ZEROS);
      await cut(true);
      while (pending.length > 0) await flushOne();
      const tarSize = tarOffset;
      const base: Omit<LayerResult, 'digest' | 'size'> = {
        mediaType: layerMediaType(compression),
        diffId: diffId ?? `sha256:${diff.digest('hex')}`,
        tarSize,
        entryCount,
      };
      const table = toc?.finish(frames, size);
      if (!table) return { ...base, digest: `sha256:${blob.digest('hex')}`, size };
      blob.update(table.frame);
      await sink(table.frame);
      return {
        ...base,
        digest: `sha256:${blob.digest('hex')}`,
        size: size + table.frame.length,
        toc: table.position,
      };
    },
  };
}

async function appendContent(
  entry: LayerEntry,
  content: AsyncIterable<Buffer> | Iterable<Buffer> | undefined,
  append: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  let got = 0;
  for await (const chunk of content ?? []) {
    got += chunk.length;
    if (got > entry.size) break;
    await append(chunk);
  }
  if (got === entry.size) return;
  throw new AppError(
    'CONTEXT',
    `the file ${entry.path} changed while it was read: it had ${entry.size} bytes`,
    {
      where: { path: entry.path },
      hint: 'build again when nothing writes to it',
    },
  );
}
