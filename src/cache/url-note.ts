import * as v from 'valibot';
import { canonicalDigest } from '../core/canonical.ts';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import type { Store } from '../oci/types.ts';
import { readNote, storeNote } from './note.ts';
import type { Trust } from './trust.ts';

/** What a download was when its server called it by this name. */
export interface UrlNote {
  /** A strong entity tag: the same tag means the same bytes (RFC 9110, section 8.8.3). */
  readonly etag: string;
  readonly digest: Digest;
}

const NOTE = v.object({
  etag: v.string(),
  digest: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
});

/** Without its credentials, which are nobody's business, and with the salt, so that it cannot be guessed. */
function tagOf(url: string, salt: string | undefined): string {
  return `url-${hexOf(canonicalDigest({ url: maskUrlCredentials(url), salt })).slice(0, 40)}`;
}

/** What notes of URLs are kept with. */
export interface UrlNotesDeps {
  readonly salt: string | undefined;
  /** A note decides over a key: whoever plants one could bring back what a URL held before. */
  readonly trust: Trust;
  readonly signal: AbortSignal;
}

/** The note of an earlier build; undefined when there is none that is trusted. */
export async function readUrlNote(
  store: Store,
  url: string,
  { salt, trust, signal }: UrlNotesDeps,
): Promise<UrlNote | undefined> {
  const found = await readNote(store, { kind: 'url', tag: tagOf(url, salt) }, signal, trust);
  const parsed = v.safeParse(NOTE, found);
  return parsed.success ? parsed.output : undefined;
}

/** Lets later builds and probes do with one HEAD. @throws what the store throws */
export async function storeUrlNote(
  store: Store,
  url: string,
  content: UrlNote,
  { salt, trust, signal }: UrlNotesDeps,
): Promise<void> {
  const note = { kind: 'url', tag: tagOf(url, salt), text: JSON.stringify(content) } as const;
  await storeNote(store, note, signal, trust.signNote(note));
}
