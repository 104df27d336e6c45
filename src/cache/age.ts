import * as v from 'valibot';
import { type Digest, digestOf, hexOf, isDigest } from '../core/digest.ts';
import type { Store } from '../oci/types.ts';
import { readNote, storeNote } from './note.ts';
import { recordBytes } from './signature.ts';
import type { Trust } from './trust.ts';
import type { CacheRecord } from './types.ts';

/*
 * Records of reproducible builds hold nothing of when they were made, so that they are the same whoever makes them. A note
 * beside each of them says it, for the sake of the time to live (decision 80).
 */

/** When a record was made, and which one it is: another one under the same key is not as young. */
export interface Age {
  /** RFC 3339, UTC, whole seconds. */
  readonly created: string;
  /** What recordIdentity gives. */
  readonly record: Digest;
}

const AGE = v.object({
  created: v.pipe(
    v.string(),
    v.check((text) => !Number.isNaN(Date.parse(text))),
  ),
  record: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
});

/** What the notes of a cache are read and written with. */
export interface AgeDeps {
  /** A note of somebody else could make an old record young again. */
  readonly trust: Trust;
  readonly signal?: AbortSignal | undefined;
}

/** The tag of the note on the record of a key. */
export const ageTag = (key: Digest): string => `age-${hexOf(key)}`;

/** What a record says, however it is written down and whoever has signed it. */
export const recordIdentity = (record: CacheRecord): Digest => digestOf(recordBytes(record));

/** The note on the record of a key; undefined when there is none that can be read and, where that is asked, is trusted. */
export async function readAge(
  store: Store,
  key: Digest,
  { trust, signal }: Partial<AgeDeps>,
): Promise<Age | undefined> {
  const found = await readNote(store, { kind: 'age', tag: ageTag(key) }, signal, trust);
  const parsed = v.safeParse(AGE, found);
  return parsed.success ? parsed.output : undefined;
}

/** Notes down when a record was made: before the record itself, which nobody takes without. @throws what the store throws */
export async function storeAge(store: Store, record: CacheRecord, { trust, signal }: AgeDeps): Promise<void> {
  const age: Age = { created: record.created, record: recordIdentity(record) };
  const note = { kind: 'age', tag: ageTag(record.key), text: JSON.stringify(age) } as const;
  await storeNote(store, note, signal, trust.signNote(note));
}
