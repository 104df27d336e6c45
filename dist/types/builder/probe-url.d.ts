import { type UrlNotesDeps } from '../cache/url-note.ts';
import type { Store } from '../oci/types.ts';
import type { UrlFacts } from '../plan/inputs.ts';
export interface ProbeUrlDeps extends UrlNotesDeps {
    /** Where notes are read. */
    readonly store: Store | undefined;
    /** Where new ones go; undefined for a probe. */
    readonly writeTo: Store | undefined;
}
/**
 * What a URL of ADD holds now. Where the cache has a note of it and the server still calls it by the same entity tag, one
 * HEAD tells; else it is downloaded, hashed and thrown away, since only its content decides the key.
 * @throws AppError CONTEXT when it cannot be read, CORRUPT when it does not match the checksum
 */
export declare function probeUrl(url: string, checksum: string | undefined, deps: ProbeUrlDeps): Promise<UrlFacts>;
