import { closeSync, openSync, readSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { StagedLayer } from '../types.ts';
import { join, type Scanned } from './entry.ts';

const CHUNK = 1024 * 1024;
const ZEROS = Buffer.alloc(CHUNK);

/**
 * Writes scanned entries as a layer. Holes of sparse files are not read from disk.
 * @throws AppError CONTEXT when a file changes meanwhile, DISK_FULL, OUTPUT; nothing is left then
 */
export async function writeSnapshot(
  { root, entries }: Pick<Scanned, 'root' | 'entries'>,
  writer: FileLayerWriter,
  syscalls: Pick<Syscalls, 'dataSegments'>,
): Promise<StagedLayer> {
  let buffer: Buffer = Buffer.alloc(0);
  for (let index = 0; index < entries.count; index += 1) {
    const entry = entries.get(index);
    const { path, size } = entry;
    if (size > buffer.length && buffer.length < CHUNK) buffer = Buffer.allocUnsafe(Math.min(CHUNK, 2 * size));
    await writer.add(entry, size > 0 ? contentOf(join(root, path), size, buffer, syscalls) : undefined);
  }
  return { ...(await writer.finish()), file: writer.file };
}

function* contentOf(
  file: string,
  size: number,
  buffer: Buffer,
  syscalls: Pick<Syscalls, 'dataSegments'>,
): Generator<Buffer> {
  const fd = openSync(fsPath(file), 'r');
  try {
    // Asking a small file for its holes costs more than reading them.
    const segments = size > CHUNK ? syscalls.dataSegments(fd, size) : [[0, size] as const];
    let at = 0;
    for (const [offset, length] of segments) {
      yield* zeros(offset - at);
      for (at = offset; at < offset + length; ) {
        const count = readSync(fd, buffer, 0, Math.min(CHUNK, offset + length - at), at);
        if (count === 0) return;
        at += count;
        yield buffer.subarray(0, count);
      }
    }
    yield* zeros(size - at);
  } finally {
    closeSync(fd);
  }
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= CHUNK) yield ZEROS.subarray(0, Math.min(left, CHUNK));
}
