import { type Emit, timed } from '../../core/events.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression } from '../../layer/types.ts';
import type { CommitOptions, StagedLayer } from '../types.ts';
import { writeSnapshot } from './write.ts';

/** What layers are made with. */
export interface SnapshotWriterDeps {
  readonly syscalls: Parameters<typeof writeSnapshot>[2];
  readonly createLayerWriter: (file: string, compression: Compression) => FileLayerWriter;
  readonly emit: Emit;
}

/** Writes snapshots into layers while other work goes on. */
export interface SnapshotWriter {
  /** A layer in a file of its own; what it is made of stays as it is until then. Nobody has to wait for it. */
  write(
    scanned: Parameters<typeof writeSnapshot>[0],
    file: string,
    options: CommitOptions,
  ): Promise<StagedLayer>;
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
