import type { Digest } from '../../core/digest.ts';
import type { FeatureOptions } from '../types.ts';
import type { FeatureId } from './types.ts';
/** What features are compared by. */
export interface Comparable {
    readonly id: FeatureId;
    readonly options: FeatureOptions;
    readonly digest?: Digest;
    /** The names that a feature has and had, the current one first; undefined while its metadata is not known. */
    readonly aliases?: readonly string[];
}
/** The order of strings that the reference implementation uses. */
export declare function compareText(a: string, b: string): number;
/**
 * The order of features within a round, 0 when they are equal (Dev Container Features reference, "Round Stable Sort" and
 * "Feature Equality").
 */
export declare function compareFeatures(a: Comparable, b: Comparable): number;
/** Whether two features have the same content and the same options. */
export declare function sameFeature(a: Comparable, b: Comparable): boolean;
/** Whether a feature is the one that an id without a version means; `meant.aliases` are its known names, if any. */
export declare function isMeant({ id }: Comparable, meant: Pick<Comparable, 'id' | 'aliases'>): boolean;
/** Whether two features of registries are of one collection. */
export declare function sameNamespace(a: FeatureId, b: FeatureId): boolean;
