import type { LayerRef } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import type { EntryType } from '../tar/types.ts';

/**
 * What lies under tags of a cache: a record of a step, an image, the list of what refers to an image, a note, a lease;
 * `unreadable` is whatever cannot be told.
 */
export type EntryKind = 'record' | 'image' | 'referrers' | 'note' | 'lease' | 'unreadable';

/** A layer as an entry names it. */
export interface EntryLayer {
  readonly digest: Digest;
  readonly size: number;
}

/** A manifest of a cache with all tags that name it. */
export interface InventoryEntry {
  readonly kind: EntryKind;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly mediaType: string;
  /** RFC 3339; null where the manifest does not say. */
  readonly created: string | null;
  /** Layers that it brings: of a record its own, of an image all. */
  readonly layers: readonly EntryLayer[];
  /** Layers that it needs: of a record all of its chain, of which the others are brought by other records. */
  readonly needs: readonly EntryLayer[];
  /** The step of a record, where a trace tells. */
  readonly step: { readonly stage: string; readonly instruction: string } | null;
  /** Why it cannot be read. */
  readonly problem: string | null;
  /** Of a record. */
  readonly record: RecordFacts | null;
  /** Of a lease: the tags of the records that it is on. */
  readonly leaseOn: readonly string[] | null;
}

/** What a record says. */
export interface RecordFacts {
  readonly key: Digest;
  readonly contentKey: Digest | null;
  readonly base: string;
  readonly chain: readonly LayerRef[];
  readonly platform: string;
  /** IDs of the keys that signed it. */
  readonly signedBy: readonly string[];
  /** Short digests of the parts of its operation. */
  readonly fields: Readonly<Record<string, string>>;
}

/** All that lies under tags of a repository. */
export interface Inventory {
  /** `host/repository` or a directory. */
  readonly name: string;
  readonly entries: readonly InventoryEntry[];
}

/** Bytes of layers, each counted once. */
export interface InventoryTotals {
  readonly records: number;
  readonly images: number;
  readonly layers: number;
  readonly bytes: number;
  /** Of layers that more than one entry brings. */
  readonly sharedBytes: number;
}

/** What a part of a cache takes. */
export interface Usage {
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
}

/** A layer of an image that is compared. */
export interface DiffLayer extends EntryLayer {
  readonly diffId: Digest;
  /** What the history says that made it; null where it says nothing. */
  readonly createdBy: string | null;
}

/** A part of a config, as `env PATH`, that two images do not have in common; null in an image without it. */
export interface ConfigChange {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What of a file, or of whatever else is at a path, is not as it was. */
export type FileAspect = 'type' | 'content' | 'target' | 'mode' | 'owner' | 'device' | 'attributes';

/** A path at which two images do not have the same. */
export interface FileChange {
  /** Relative to the root. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a path that is removed what was there. */
  readonly type: EntryType;
  /** Bytes; null where there was nothing. */
  readonly before: number | null;
  readonly after: number | null;
  /** Of a path that is changed. */
  readonly aspects: readonly FileAspect[];
}

/** One of the two images. */
export interface DiffImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly platform: string;
  readonly layers: number;
  readonly bytes: number;
}

/** What a second image has that a first one does not have, and the other way round. */
export interface ImageDiff {
  readonly first: DiffImage;
  readonly second: DiffImage;
  /** Layers by their plain content, however they are compressed. */
  readonly layers: {
    readonly shared: readonly DiffLayer[];
    readonly onlyFirst: readonly DiffLayer[];
    readonly onlySecond: readonly DiffLayer[];
  };
  readonly config: readonly ConfigChange[];
  readonly files: readonly FileChange[];
}
