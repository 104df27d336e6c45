import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { StagedLayer } from '../types.ts';
import type { ScannedEntry } from './entry.ts';
/**
 * Writes scanned entries as a layer. Holes of sparse files are not read from disk.
 * @throws AppError CONTEXT when a file changes meanwhile, DISK_FULL, OUTPUT; nothing is left then
 */
export declare function writeSnapshot(entries: readonly ScannedEntry[], writer: FileLayerWriter, syscalls: Pick<Syscalls, 'dataSegments'>): Promise<StagedLayer>;
