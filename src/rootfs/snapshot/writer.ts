import { dirname } from 'node:path';
import { type Emit, timed } from '../../core/events.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression } from '../../layer/types.ts';
import { checkHoles, type HoledFile, hasRoomForAll } from '../../sys/room.ts';
import type { CommitOptions, StagedLayer } from '../types.ts';
import { join, type Scanned, type ScannedEntries } from './entry.ts';
import { openContent, writeSnapshot } from './write.ts';

type ToWrite = Pick<Scanned, 'root' | 'entries'>;

/** What layers are made with. */
export interface SnapshotWriterDeps {
  readonly syscalls: Parameters<typeof writeSnapshot>[2];
  readonly createLayerWriter: (file: string, compression: Compression) => FileLayerWriter;
  readonly emit: Emit;
}

/** Writes snapshots into layers while other work goes on. */
export interface SnapshotWriter {
  /**
   * A layer in a file of its own; what it is made of stays as it is until then. Nobody has to wait for it.
   * @throws AppError DISK_FULL, at once, when there is no room for the holes of its sparse files
   */
  write(scanned: ToWrite, file: string, options: CommitOptions): Promise<StagedLayer>;
  /** Waits until none is written any more; never fails. */
  settled(): Promise<void>;
}

/** Remembers what is being written, so that it can be waited for. */
export function createSnapshotWriter({
  syscalls,
  createLayerWriter,
  emit,
}: SnapshotWriterDeps): SnapshotWriter {
  const writing = new Set<Promise<unknown>>();
  return {
    write: (scanned, file, { compression }) => {
      checkRoom(scanned, dirname(file), syscalls);
      const layer = timed(emit, 'compress', async () =>
        writeSnapshot(scanned, createLayerWriter(file, compression), syscalls),
      );
      writing.add(layer);
      void layer.catch(() => {}).then(() => writing.delete(layer));
      return layer;
    },
    settled: async () => {
      await Promise.allSettled(writing);
    },
  };
}

/** A layer says every zero of a hole, and whoever takes it from the cache writes them. */
function checkRoom({ root, entries }: ToWrite, disk: string, syscalls: SnapshotWriterDeps['syscalls']): void {
  let bytes = 0;
  for (let index = 0; index < entries.count; index += 1) bytes += entries.facts(index).size;
  if (!hasRoomForAll(bytes, disk)) checkHoles(holedOf(root, entries), { what: 'the step', disk, syscalls });
}

function* holedOf(root: string, entries: ScannedEntries): Generator<HoledFile> {
  for (let index = 0; index < entries.count; index += 1) {
    const { size } = entries.facts(index);
    if (size === 0) continue;
    const { path } = entries.get(index);
    yield { path: `/${path}`, size, open: () => openContent(join(root, path)) };
  }
}
