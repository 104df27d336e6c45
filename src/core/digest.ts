import { createHash, hash } from 'node:crypto';
import { AppError } from './error.ts';

/** A content digest, `sha256:` and 64 lower-case hex digits (OCI image spec, "Digests"). */
export type Digest = `sha256:${string}`;

/** A digest by any algorithm that registries must know; we write sha256 alone. */
export type ContentDigest = Digest | `sha512:${string}`;

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** The digest of bytes or of a UTF-8 string. */
export function digestOf(bytes: Uint8Array | string): Digest {
  // Without an object for each, of little content it takes a third.
  return `sha256:${hash('sha256', bytes)}`;
}

/** Whether a string is a well-formed sha256 digest. */
export function isDigest(value: string): value is Digest {
  return PATTERN.test(value);
}

/** Whether bytes have a digest. */
export function matchesDigest(bytes: Uint8Array, digest: ContentDigest): boolean {
  return createHash(algorithmOf(digest)).update(bytes).digest('hex') === hexOf(digest);
}

/**
 * @throws AppError CORRUPT when `value` is not a sha256 digest; `what` names it in the message
 */
export function parseDigest(value: string, what: string): Digest {
  if (isDigest(value)) return value;
  throw new AppError('CORRUPT', `${what} has the malformed digest "${value.slice(0, 100)}"`);
}

/** Whether a string is a well-formed digest by sha256 or sha512. */
export function isContentDigest(value: string): value is ContentDigest {
  return PATTERN.test(value) || /^sha512:[0-9a-f]{128}$/.test(value);
}

/** The algorithm of a digest, as node:crypto names it. */
export function algorithmOf(digest: ContentDigest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hex part of a digest. */
export function hexOf(digest: ContentDigest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
