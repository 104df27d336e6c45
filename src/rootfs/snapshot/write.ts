import { closeSync, openSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import { contentOf, type HoleCalls } from '../../sys/holes.ts';
import type { StagedLayer } from '../types.ts';
import { join, type Scanned } from './entry.ts';

const CHUNK = 1024 * 1024;

/**
 * Writes scanned entries as a layer. Holes of sparse files are not read from disk.
 * @throws AppError CONTEXT when a file changes meanwhile, DISK_FULL, OUTPUT; nothing is left then
 */
export async function writeSnapshot(
  { root, entries }: Pick<Scanned, 'root' | 'entries'>,
  writer: FileLayerWriter,
  syscalls: HoleCalls,
): Promise<StagedLayer> {
  let buffer: Buffer = Buffer.alloc(0);
  for (let index = 0; index < entries.count; index += 1) {
    const entry = entries.get(index);
    const { path, size } = entry;
    if (size > buffer.length && buffer.length < CHUNK) buffer = Buffer.allocUnsafe(Math.min(CHUNK, 2 * size));
    await writer.add(entry, size > 0 ? contentAt(join(root, path), size, buffer, syscalls) : undefined);
  }
  return { ...(await writer.finish()), file: writer.file };
}

function* contentAt(file: string, size: number, buffer: Buffer, syscalls: HoleCalls): Generator<Buffer> {
  const fd = openContent(file);
  try {
    yield* contentOf(fd, size, buffer, syscalls);
  } finally {
    closeSync(fd);
  }
}

/** Opens the content of an entry. @param file its host path @returns a descriptor, which the caller closes */
export function openContent(file: string): number {
  return openSync(fsPath(file), 'r');
}
