import type { Store } from '../oci/types.ts';
import type { Trust } from './trust.ts';
import type { Note, Signatures } from './types.ts';
/** Stores a note under a tag; one that is too long is not stored. @throws what the store throws */
export declare function storeNote(store: Store, note: Note, signal: AbortSignal, signatures?: Signatures): Promise<void>;
/** The JSON of a note; undefined when it is not there, cannot be read, or is not trusted where that matters. */
export declare function readNote(store: Store, { kind, tag }: Omit<Note, 'text'>, signal: AbortSignal, trust?: Trust): Promise<unknown>;
