import type { Digest } from '../core/digest.ts';
import type { TocPosition } from '../layer/types.ts';

/** What must be known of a layer to read it anywhere. */
export interface LayerRef {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: Digest;
  readonly toc?: TocPosition;
}

/** Ed25519 signatures in base64, by the IDs of their keys. */
export type Signatures = Readonly<Record<string, string>>;

/** What a record that does not say when it was made has in its place. */
export const UNDATED = '1970-01-01T00:00:00Z';

/** What a step made, and out of what: the content of a cache record. */
export interface CacheRecord {
  readonly key: Digest;
  readonly contentKey?: Digest;
  /** Chain ID of the image that the stage (or the stage it builds on) starts from; 'scratch' for none. */
  readonly base: string;
  /** Layers since that image, this step's last; steps that changed nothing have none. */
  readonly chain: readonly LayerRef[];
  /** This step's own layer; undefined when it changed nothing. */
  readonly layer?: LayerRef;
  /** One character a step since that image, this one last: `1` made a layer, `0` changed nothing. */
  readonly made: string;
  /** Chain IDs of the stages that this stage has read from so far, by the stage's last key. */
  readonly sources: Readonly<Record<string, string>>;
  /** When it was made: RFC 3339, UTC, whole seconds. Of an undated one, UNDATED until the note is read. */
  readonly created: string;
  /** Its bytes do not say when it was made, but a note beside it (age.ts). */
  readonly undated?: true;
  readonly fields: Readonly<Record<string, string>>;
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  /** Over everything else in the record; left out where there is none. */
  readonly signatures?: Signatures;
}

/** Kinds of notes, each in an annotation of its own name. */
type NoteKind = 'age' | 'trace' | 'url';

/** A note, and the tag that it is found under. */
export interface Note {
  readonly kind: NoteKind;
  readonly tag: string;
  readonly text: string;
}
