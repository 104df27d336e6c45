import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import { type SigningKey, type TrustedKey } from './signature.ts';
import type { CacheRecord, Note, Signatures } from './types.ts';
/** Whose records count, and how ours are signed. */
export interface TrustSettings {
    readonly signingKey?: SigningKey;
    /** Besides the signing key's own public half. */
    readonly trustedKeys: readonly TrustedKey[];
}
/** Signs what this build stores, and judges what others have stored. */
export interface Trust {
    /** Whether a record counts; one that does not is a warning, or a message where the same was a warning already. */
    accepts(record: CacheRecord, found: {
        readonly key: Digest;
        readonly in: string;
    }): boolean;
    /** Whether to store under a key: our unsigned record never takes the place of one that we refused to trust. */
    mayReplace(key: Digest): boolean;
    /** The record with our signature, where there is a key to sign with. */
    sign(record: CacheRecord): CacheRecord;
    acceptsNote(note: Note, signatures: Signatures | undefined): boolean;
    signNote(note: Note): Signatures;
}
/**
 * Without settings, everything counts and nothing is signed. With them a record counts when one of its signatures is that
 * of a trusted key. A build that signs trusts its own key, and no record without a signature: what it makes lies on the
 * records that it took, so its signature vouches for them too.
 */
export declare function createTrust(settings: TrustSettings | undefined, { emit }: {
    readonly emit: Emit;
}): Trust;
