import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import { noteBytes, recordBytes, type SigningKey, type TrustedKey } from './signature.ts';
import type { CacheRecord, Note, Signatures } from './types.ts';

/** Whose records count, and how ours are signed. */
export interface TrustSettings {
  readonly signingKey?: SigningKey;
  /** Besides the signing key's own public half. */
  readonly trustedKeys: readonly TrustedKey[];
}

/** Where a record was found. */
interface FoundRecord {
  readonly key: Digest;
  readonly in: string;
  /** Told why it does not count. */
  readonly refuse?: (
    why:
      | { readonly code: 'unsigned' }
      | { readonly code: 'unknown-key' | 'wrong-signature'; readonly ids: readonly string[] },
  ) => void;
}

/** Signs what this build stores, and judges what others have stored. */
export interface Trust {
  /** Whether a record counts; one that does not is a warning, or a message where the same was a warning already. */
  accepts(record: CacheRecord, found: FoundRecord): boolean;
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
export function createTrust(settings: TrustSettings | undefined, { emit }: { readonly emit: Emit }): Trust {
  const signingKey = settings?.signingKey;
  const keys = [...(settings?.trustedKeys ?? []), ...(signingKey ? [signingKey.publicKey] : [])];
  const trusted = settings && new Map(keys.map((key) => [key.id, key]));
  const said = new Set<string>();
  const refused = new Set<Digest>();

  const judge = (bytes: () => Buffer, signatures: Signatures = {}): Verdict => {
    if (!trusted) return { kind: 'trusted' };
    const ids = Object.keys(signatures);
    const known = ids.filter((id) => trusted.has(id));
    if (known.length === 0) return ids.length === 0 ? { kind: 'unsigned' } : { kind: 'unknown', ids };
    const signed = bytes();
    const good = known.some((id) => trusted.get(id)!.verifies(signed, signatures[id]!));
    return good ? { kind: 'trusted' } : { kind: 'wrong', ids: known };
  };

  return {
    accepts: (record, found) => {
      const verdict = judge(() => recordBytes(record), record.signatures);
      if (verdict.kind === 'trusted') return true;
      found.refuse?.(
        verdict.kind === 'unknown' || verdict.kind === 'wrong'
          ? { code: verdict.kind === 'unknown' ? 'unknown-key' : 'wrong-signature', ids: verdict.ids }
          : { code: 'unsigned' },
      );
      const { reason, hint } = explain(verdict, found.in);
      const text = `the cache record ${found.key.slice(7, 19)} in ${found.in} counts as missing: ${reason}`;
      const group = `${found.in} ${reason}`;
      if (said.has(group)) emit({ type: 'message', level: 'debug', text });
      else emit({ type: 'warning', code: 'UNTRUSTED', text, hint });
      said.add(group);
      refused.add(found.key);
      return false;
    },
    mayReplace: (key) => signingKey !== undefined || !refused.has(key),
    sign: (record) => (signingKey ? { ...record, signatures: signingKey.sign(recordBytes(record)) } : record),
    acceptsNote: (note, signatures) => judge(() => noteBytes(note), signatures).kind === 'trusted',
    signNote: (note) => signingKey?.sign(noteBytes(note)) ?? {},
  };
}

type Verdict =
  | { readonly kind: 'trusted' | 'unsigned' }
  | { readonly kind: 'unknown' | 'wrong'; readonly ids: readonly string[] };

function explain(verdict: Verdict, place: string): { readonly reason: string; readonly hint: string } {
  if (verdict.kind === 'unknown') {
    return {
      reason: `it is signed by ${keyNames(verdict.ids)}, which is not trusted`,
      hint: 'if you trust whoever holds that key, add its public half to --cache-trusted-keys (ENVBUILDER_CACHE_TRUSTED_KEYS)',
    };
  }
  if (verdict.kind === 'wrong') {
    return {
      reason: `the signature of ${keyNames(verdict.ids)} is not one of this record`,
      hint: `the record was changed after it was signed; find out who can write to ${place}`,
    };
  }
  return {
    reason: 'it is not signed',
    hint: `fill ${place} with --cache-sign-key-path (ENVBUILDER_CACHE_SIGN_KEY_PATH), or trust every record by leaving the keys out`,
  };
}

const keyNames = (ids: readonly string[]): string => `the key ${ids.slice(0, 3).join(', ')}`;
