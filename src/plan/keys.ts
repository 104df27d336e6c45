import { type Canonical, canonicalDigest } from '../core/canonical.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import type { KeyFields } from '../core/key-table.ts';
import { baseFields, contentScopeFields, operationFieldsOf } from './key-tables.ts';
import type { BaseKeyInput, Operation } from './types.ts';

/** Part of the first key of every stage: a change of what keys or records mean must change it, and throws every cache away. */
export const KEY_SCHEMA = 4;

/** K₀: what a stage starts from. Labels, compression and where the base came from do not enter. */
export function baseKey(input: BaseKeyInput): Digest {
  return canonicalDigest({ schema: KEY_SCHEMA, ...baseFields(input) });
}

/** Kᵢ from Kᵢ₋₁ and the digest of the operation. */
export function stepKey(parent: Digest, operation: Digest): Digest {
  return canonicalDigest({ parent, operation });
}

/** What content keys share with K₀ besides files: without the salt they could be guessed. */
export function contentScope(input: Omit<BaseKeyInput, 'diffIds' | 'config'>): Digest {
  return canonicalDigest({ content: KEY_SCHEMA, ...contentScopeFields(input) });
}

/**
 * C: the same operation on the same parent files, whatever instructions made them.
 * @param parent an OCI chain ID, or 'scratch'
 */
export function contentKey(scope: Digest, parent: string, operation: Digest): Digest {
  return canonicalDigest({ scope, parent, operation });
}

/**
 * The operation's parts in canonical form, by name. Everything that can change the result is in here; secrets' values,
 * proxies and times are not.
 * @param stageKey what stands for a stage that files are taken from: its last key, or what it holds
 */
export function operationFields(operation: Operation, stageKey: (stage: number) => Canonical): KeyFields {
  return operationFieldsOf(operation, { stageKey });
}

/** Digest of the operation, and short digests of its parts that let a later miss be explained. */
export function digestFields(fields: KeyFields): {
  readonly digest: Digest;
  readonly fields: Readonly<Record<string, string>>;
} {
  const short: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields))
    short[name] = hexOf(canonicalDigest(value)).slice(0, 16);
  return { digest: canonicalDigest(fields), fields: short };
}
