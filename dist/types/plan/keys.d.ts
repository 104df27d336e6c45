import { type Canonical } from '../core/canonical.ts';
import { type Digest } from '../core/digest.ts';
import type { ContainerConfig, Platform } from '../oci/types.ts';
import type { Operation, TreeSource } from './types.ts';
/** Part of the first key of every stage: a change of what keys or records mean must change it, and throws every cache away. */
export declare const KEY_SCHEMA = 2;
export interface BaseKeyInput {
    readonly salt: string | undefined;
    readonly platform: Platform;
    readonly mtime: number | 'keep';
    /** diffIDs of the base's layers, lowest first; none for scratch. */
    readonly diffIds: readonly Digest[];
    readonly config: ContainerConfig;
}
/** K₀: what a stage starts from. Labels, compression and where the base came from do not enter. */
export declare function baseKey(input: BaseKeyInput): Digest;
/** Kᵢ from Kᵢ₋₁ and the digest of the operation. */
export declare function stepKey(parent: Digest, operation: Digest): Digest;
/** What content keys share with K₀ besides files: without the salt they could be guessed. */
export declare function contentScope({ salt, platform, mtime }: Omit<BaseKeyInput, 'diffIds' | 'config'>): Digest;
/**
 * C: the same operation on the same parent files, whatever instructions made them.
 * @param parent an OCI chain ID, or 'scratch'
 */
export declare function contentKey(scope: Digest, parent: string, operation: Digest): Digest;
/** What stands for a source of files in a key: the last key of a stage, or the layers of an image. */
export type SourceKey = (source: TreeSource) => Canonical;
/** The key of a source of files: of a stage as given, of an image its diffIDs. */
export declare function treeSourceKey(source: TreeSource, stageKey: (stage: number) => Canonical): Canonical;
/**
 * The operation's parts in canonical form, by name. Everything that can change the result is in here; secrets' values,
 * proxies and times are not.
 */
export declare function operationFields(operation: Operation, sourceKey: SourceKey): Record<string, Canonical>;
/** Digest of the operation, and short digests of its parts that let a later miss be explained. */
export declare function digestFields(fields: Record<string, Canonical>): {
    readonly digest: Digest;
    readonly fields: Readonly<Record<string, string>>;
};
