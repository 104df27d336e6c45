import { type Digest } from '../core/digest.ts';
import { type PathFacts } from '../sys/path-facts.ts';
/** What says that a file is the one that was hashed. */
export interface FileIdentity {
    readonly dev: bigint;
    readonly ino: bigint;
    readonly size: bigint;
    readonly mtimeNs: bigint;
    readonly ctimeNs: bigint;
}
/** What is known of a file that has not changed since it was hashed. */
export interface FileFacts {
    readonly digest: Digest;
    /** Whether it is known to have no extended attributes that a copy keeps; setting one changes the ctime. */
    readonly plain: boolean;
}
/** Facts of files that have not changed since they were hashed. */
export interface HashMemo {
    /** @param key of fileKey */
    get(key: string): FileFacts | undefined;
    /** Nanoseconds since the epoch. */
    now(): bigint;
    /** @param begun when reading the file began, by `now`; at this moment when left out */
    set(file: FileIdentity, facts: FileFacts, begun?: bigint): void;
    /** Says that files were not asked for because a whole tree of them is known; what was known of them stays. */
    keepUnused(): void;
    /** Writes the memo for the next process, when it has a file and learnt something. */
    save(): void;
}
/**
 * @param file where the memo is kept between processes; a damaged one is ignored, and one that cannot be written is not
 * written
 * @param now nanoseconds since the epoch
 */
export declare function createHashMemo(file?: string, now?: () => bigint): HashMemo;
/** Names a file and its state; another one means that it may have changed. */
export declare function fileKey({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): string;
/** The same for a row of facts. */
export declare function factsKey(facts: PathFacts): string;
