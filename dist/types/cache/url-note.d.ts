import { type Digest } from '../core/digest.ts';
import type { Store } from '../oci/types.ts';
import type { Trust } from './trust.ts';
/** What a download was when its server called it by this name. */
export interface UrlNote {
    /** A strong entity tag: the same tag means the same bytes (RFC 9110, section 8.8.3). */
    readonly etag: string;
    readonly digest: Digest;
}
/** What notes of URLs are kept with. */
export interface UrlNotesDeps {
    readonly salt: string | undefined;
    /** A note decides over a key: whoever plants one could bring back what a URL held before. */
    readonly trust: Trust;
    readonly signal: AbortSignal;
}
/** The note of an earlier build; undefined when there is none that is trusted. */
export declare function readUrlNote(store: Store, url: string, { salt, trust, signal }: UrlNotesDeps): Promise<UrlNote | undefined>;
/** Lets later builds and probes do with one HEAD. @throws what the store throws */
export declare function storeUrlNote(store: Store, url: string, content: UrlNote, { salt, trust, signal }: UrlNotesDeps): Promise<void>;
