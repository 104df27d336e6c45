import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import type { TarItem } from '../tar/reader.ts';
import type { LayerEntry } from '../tar/types.ts';

/** A frame: one independent zstd frame of the blob. */
export interface TocFrame {
  /** Offset and length in the compressed blob, in bytes. */
  readonly offset: number;
  readonly length: number;
  /** Offset and length of the decoded bytes in the tar stream. */
  readonly tarOffset: number;
  readonly tarLength: number;
  /** Digest of the compressed bytes of the frame. */
  readonly digest: Digest;
}

export interface TocEntry extends LayerEntry {
  /** Where the content starts in the tar stream; 0 when there is none. */
  readonly contentOffset: number;
}

/** The entries of a layer in its own order, by index. They are packed; each question makes the object anew. */
export interface TocEntries {
  readonly count: number;
  get(index: number): TocEntry;
  /** What `get` gives, without the path. */
  facts(index: number): Omit<LayerEntry, 'path'>;
  /** The last name of the path. */
  name(index: number): string;
  isName(index: number, name: string): boolean;
  /** TocEntry.contentOffset, without the rest. */
  contentOffset(index: number): number;
  /** The size of a file. */
  size(index: number): number;
}

/** A table of contents as it is written. */
export interface TocTable {
  readonly frames: readonly TocFrame[];
  readonly entries: TocEntries;
}

/** A table that says all of its layer, in the layer's own order. */
export interface Toc extends TocTable {
  /** By frame: the index of the first entry whose header lies in it or behind it; and one more, the number of entries. */
  readonly firstEntries: readonly number[];
}

/** Where the table of contents stands in the blob, and what it must hash to (bytes of the skippable frame's payload). */
export interface TocPosition {
  readonly offset: number;
  readonly length: number;
  readonly digest: Digest;
}

export type Compression = 'zstd' | 'gzip' | 'none';

/** What a finished layer is; everything that a descriptor and a record need. */
export interface LayerResult {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly tarSize: number;
  readonly entryCount: number;
  /** Only for zstd, and not where there are too many entries for a table. */
  readonly toc?: TocPosition;
}

/** Takes entries in order and makes a layer of them; same entries, same bytes. */
export interface LayerWriter {
  /**
   * Adds an entry. `content` is required for a file with size > 0 and must yield exactly `entry.size` bytes.
   * @throws AppError CONTEXT when it yields fewer or more (the file changed while it was read)
   */
  add(entry: LayerEntry, content?: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>;
  /** Ends the tar, flushes, and gives the result; the writer cannot be used afterwards. */
  finish(): Promise<LayerResult>;
  /** Gives up, and gives back what is shared with other writers; safe to call at any time. */
  abandon(): void;
}

/** Reads a whole layer in order, whatever its compression. `content` must be consumed or skipped before the next entry. */
export interface LayerReader extends AsyncIterable<TarItem> {}

/**
 * Reads bytes of one blob; the range is in the compressed blob.
 * @param into where the bytes may be put; the result is a view of it then, or memory of its own
 */
export type ReadRange = (offset: number, length: number, into?: Buffer) => Promise<Buffer>;

/** A layer that can be read: its descriptor facts, and its bytes. */
export interface LayerBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  /** Whether what is made on this layer relies on its diffID, which a stream then has to match. */
  readonly checkDiffId?: boolean;
  readonly toc?: TocPosition;
  /** All bytes, verified as Store.get does. */
  open(): Promise<Readable>;
  readRange: ReadRange;
  /** For messages: the store's name. */
  readonly from: string;
}
