import * as v from 'valibot';
import { canonicalDigest } from '../core/canonical.ts';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import type { Store } from '../oci/types.ts';
import { readNote, storeNote } from './note.ts';

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

/** The note of an earlier build; undefined when there is none. */
export async function readUrlNote(
  store: Store,
  url: string,
  salt: string | undefined,
  signal: AbortSignal,
): Promise<UrlNote | undefined> {
  const parsed = v.safeParse(NOTE, await readNote(store, { kind: 'url', tag: tagOf(url, salt) }, signal));
  return parsed.success ? parsed.output : undefined;
}

/** Lets later builds and probes do with one HEAD. @throws what the store throws */
export async function storeUrlNote(
  store: Store,
  url: string,
  salt: string | undefined,
  note: UrlNote,
  signal: AbortSignal,
): Promise<void> {
  await storeNote(store, { kind: 'url', tag: tagOf(url, salt), text: JSON.stringify(note) }, signal);
}
