import { type Canonical } from '../core/canonical.ts';
import { type Digest } from '../core/digest.ts';
import type { KeyFields } from '../core/key-table.ts';
import { type BaseKeyInput } from './key-tables.ts';
import type { Operation } from './types.ts';
/** Part of the first key of every stage: a change of what keys or records mean must change it, and throws every cache away. */
export declare const KEY_SCHEMA = 3;
/** K₀: what a stage starts from. Labels, compression and where the base came from do not enter. */
export declare function baseKey(input: BaseKeyInput): Digest;
/** Kᵢ from Kᵢ₋₁ and the digest of the operation. */
export declare function stepKey(parent: Digest, operation: Digest): Digest;
/** What content keys share with K₀ besides files: without the salt they could be guessed. */
export declare function contentScope(input: Omit<BaseKeyInput, 'diffIds' | 'config'>): Digest;
/**
 * C: the same operation on the same parent files, whatever instructions made them.
 * @param parent an OCI chain ID, or 'scratch'
 */
export declare function contentKey(scope: Digest, parent: string, operation: Digest): Digest;
/**
 * The operation's parts in canonical form, by name. Everything that can change the result is in here; secrets' values,
 * proxies and times are not.
 * @param stageKey what stands for a stage that files are taken from: its last key, or what it holds
 */
export declare function operationFields(operation: Operation, stageKey: (stage: number) => Canonical): KeyFields;
/** Digest of the operation, and short digests of its parts that let a later miss be explained. */
export declare function digestFields(fields: KeyFields): {
    readonly digest: Digest;
    readonly fields: Readonly<Record<string, string>>;
};
