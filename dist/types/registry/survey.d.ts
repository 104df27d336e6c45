import type { ContentDigest } from '../core/digest.ts';
import type { Storage } from './types.ts';
/** What decides what is kept. */
export interface KeepRules {
    /** Tags that were used before are dropped, in milliseconds since the epoch. */
    readonly usedSince?: number;
    /** The tags used last are kept as long as what they reach has no more bytes. */
    readonly maxBytes?: number;
    /** What was used since is kept, whether anything reaches it or not. */
    readonly cutoff: number;
}
export interface TagState {
    readonly repository: string;
    readonly tag: string;
    readonly digest: ContentDigest;
    readonly usedAt: number;
}
/** What is to be kept, as seen at one time; what is used later is found by its time. */
export interface Survey {
    readonly repositories: readonly string[];
    readonly dropped: readonly TagState[];
    readonly keptTags: number;
    /** What each repository's tags, recent manifests and their referrers reach. */
    readonly reached: ReadonlyMap<string, ReadonlySet<ContentDigest>>;
    readonly reachedBytes: number;
}
/** Finds what is reached from tags, the most recently used first, from recent manifests, and by referrers. */
export declare function survey(storage: Storage, rules: KeepRules): Promise<Survey>;
