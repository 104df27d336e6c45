import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { type Canonical, canonicalBytes } from '../core/canonical.ts';
import { AppError } from '../core/error.ts';
import { type CacheRecord, type Note, type Signatures, UNDATED } from './types.ts';

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

const FIELD = 'signature.';
const KEY_ID = /^[0-9a-f]{16}$/;
const PUBLIC_BLOCK = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;
const GENERATE = 'make a key with `openssl genpkey -algorithm ed25519 -out FILE`';
const EXTRACT = 'take the public half with `openssl pkey -in PRIVATE -pubout -out FILE`';

/**
 * What the signature of a record covers: all that decodeRecord gives, and that it is a record. The name of the repository
 * is no part of it, so that a repository can be mirrored, copied or called by another name (decision 11).
 */
export function recordBytes({ signatures: _, undated, ...record }: CacheRecord): Buffer {
  const said = undated ? { ...record, created: UNDATED } : record;
  return canonicalBytes({
    signed: 'envbuilder cache record',
    version: 1,
    record: said as unknown as Canonical,
  });
}

/** What the signature of a note covers. */
export function noteBytes({ kind, tag, text }: Note): Buffer {
  return canonicalBytes({ signed: 'envbuilder cache note', version: 1, kind, tag, text });
}

/**
 * Reads a private key.
 * @param source what it is called in errors
 * @throws AppError USAGE when it is not an ed25519 key in PEM (PKCS #8) without a passphrase
 */
export function readSigningKey(pem: string, source: string): SigningKey {
  const fail = (what: string, hint: string) => new AppError('USAGE', `${source} ${what}`, { hint });
  if (pem.includes('BEGIN OPENSSH PRIVATE KEY'))
    throw fail('holds a key in the format of OpenSSH, which cannot be read', GENERATE);
  if (pem.includes('BEGIN ENCRYPTED PRIVATE KEY'))
    throw fail(
      'holds a key with a passphrase, for which nobody can be asked',
      'store the key without one: `openssl pkey -in FILE`',
    );
  if (!pem.includes('PRIVATE KEY-----')) throw fail('holds no private key', GENERATE);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What OpenSSL says of it may quote it.
    throw fail('holds a private key that cannot be read', GENERATE);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw fail(`holds a key of the type ${key.asymmetricKeyType}, not ed25519`, GENERATE);
  const publicKey = trustedKey(createPublicKey(key));
  const { id } = publicKey;
  return { id, publicKey, sign: (bytes) => ({ [id]: sign(null, bytes, key).toString('base64') }) };
}

/**
 * Reads all public keys of a text.
 * @param source what it is called in errors
 * @throws AppError USAGE when there is none, one is not ed25519, or there is a private key
 */
export function readTrustedKeys(pem: string, source: string): readonly TrustedKey[] {
  const fail = (what: string, hint: string) => new AppError('USAGE', `${source} ${what}`, { hint });
  if (pem.includes('PRIVATE KEY-----'))
    throw fail('holds a private key, where only public ones belong', EXTRACT);
  const blocks = pem.match(PUBLIC_BLOCK) ?? [];
  if (blocks.length === 0) throw fail('holds no public key in PEM', EXTRACT);
  return blocks.map((block) => {
    let key: KeyObject;
    try {
      key = createPublicKey(block);
    } catch {
      throw fail('holds a public key that cannot be read', EXTRACT);
    }
    if (key.asymmetricKeyType === 'ed25519') return trustedKey(key);
    throw fail(`holds a key of the type ${key.asymmetricKeyType}, not ed25519`, GENERATE);
  });
}

/** Signatures as fields of a record or a note, one a key: `signature.<key ID>`. */
export function signatureFields(signatures: Signatures = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(signatures).map(([id, text]) => [FIELD + id, text]));
}

/** The signatures among fields whose names have a prefix; nothing when there are none. */
export function signaturesIn(
  fields: Readonly<Record<string, string>>,
  prefix: string,
): { readonly signatures?: Signatures } {
  const start = prefix + FIELD;
  const found = Object.entries(fields).flatMap(([name, value]) => {
    const id = name.startsWith(start) ? name.slice(start.length) : '';
    return KEY_ID.test(id) ? [[id, value] as const] : [];
  });
  return found.length === 0 ? {} : { signatures: Object.fromEntries(found) };
}

function trustedKey(key: KeyObject): TrustedKey {
  const der = key.export({ type: 'spki', format: 'der' });
  return {
    id: createHash('sha256').update(der).digest('hex').slice(0, 16),
    verifies: (bytes, signature) => {
      const raw = Buffer.from(signature, 'base64');
      return raw.length === 64 && verify(null, bytes, key, raw);
    },
  };
}
