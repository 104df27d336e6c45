import type { CacheRecord, Note, Signatures } from './types.ts';
/** A private key; it cannot be taken out again. */
export interface SigningKey {
    /** As TrustedKey.id of its public half. */
    readonly id: string;
    readonly publicKey: TrustedKey;
    readonly sign: (bytes: Buffer) => Signatures;
}
/** A public key. */
export interface TrustedKey {
    /** The first 16 hexadecimal digits of the SHA-256 of the key in DER (SubjectPublicKeyInfo). */
    readonly id: string;
    /** Whether a signature, in base64, is this key's over these bytes. */
    readonly verifies: (bytes: Buffer, signature: string) => boolean;
}
/**
 * What the signature of a record covers: all that decodeRecord gives, and that it is a record. The name of the repository
 * is no part of it, so that a repository can be mirrored, copied or called by another name (decision 11).
 */
export declare function recordBytes({ signatures: _, ...record }: CacheRecord): Buffer;
/** What the signature of a note covers. */
export declare function noteBytes({ kind, tag, text }: Note): Buffer;
/**
 * Reads a private key.
 * @param source what it is called in errors
 * @throws AppError USAGE when it is not an ed25519 key in PEM (PKCS #8) without a passphrase
 */
export declare function readSigningKey(pem: string, source: string): SigningKey;
/**
 * Reads all public keys of a text.
 * @param source what it is called in errors
 * @throws AppError USAGE when there is none, one is not ed25519, or there is a private key
 */
export declare function readTrustedKeys(pem: string, source: string): readonly TrustedKey[];
/** Signatures as fields of a record or a note, one a key: `signature.<key ID>`. */
export declare function signatureFields(signatures?: Signatures): Record<string, string>;
/** The signatures among fields whose names have a prefix; nothing when there are none. */
export declare function signaturesIn(fields: Readonly<Record<string, string>>, prefix: string): {
    readonly signatures?: Signatures;
};
