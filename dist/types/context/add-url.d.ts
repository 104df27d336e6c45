import { type Dispatcher } from 'undici';
import { type Digest } from '../core/digest.ts';
/** What the headers of an answer say of a download. */
export interface UrlHead {
    /** What ADD calls the file when its destination is a directory. */
    readonly name: string;
    /** Seconds since the epoch. */
    readonly lastModified?: number;
    /** A strong entity tag; a weak one does not promise the same bytes (RFC 9110, section 8.8.1). */
    readonly etag?: string;
}
export interface Fetched extends UrlHead {
    readonly digest: Digest;
    readonly size: number;
    readonly file: string;
}
/**
 * Downloads a URL of ADD into a directory.
 * @param options.checksum as of ADD --checksum
 * @throws AppError CONTEXT when it cannot be read, CORRUPT when it does not match the checksum; the reason of the signal; no
 * file is left then
 */
export declare function fetchUrl(url: string, options: {
    readonly targetDir: string;
    readonly checksum?: string;
    readonly dispatcher?: Dispatcher;
    readonly signal?: AbortSignal;
}): Promise<Fetched>;
/** The headers of a download without the download; undefined when the server does not give them. */
export declare function headUrl(url: string, signal?: AbortSignal): Promise<UrlHead | undefined>;
