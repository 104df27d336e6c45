import { createHash } from 'node:crypto';
import { AppError } from './error.ts';

/** A content digest, `sha256:` and 64 lower-case hex digits (OCI image spec, "Digests"). */
export type Digest = `sha256:${string}`;

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** The digest of bytes or of a UTF-8 string. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Whether a string is a well-formed sha256 digest. */
export function isDigest(value: string): value is Digest {
  return PATTERN.test(value);
}

/**
 * @throws AppError CORRUPT when `value` is not a sha256 digest; `what` names it in the message
 */
export function parseDigest(value: string, what: string): Digest {
  if (isDigest(value)) return value;
  throw new AppError('CORRUPT', `${what} has the malformed digest "${value.slice(0, 100)}"`);
}

/** The hex part of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
