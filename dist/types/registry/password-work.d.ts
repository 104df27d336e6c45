/** A password, and the hash that it is compared with. */
export interface PasswordQuestion {
    readonly password: string;
    /** A bcrypt hash; undefined for somebody who is not in the file. */
    readonly hash: string | undefined;
    /** The highest cost in the file: every wrong answer takes as long as one comparison of this cost. */
    readonly cost: number;
}
/** The base-2 logarithm of the rounds of a bcrypt hash, `$2y$COST$…`. */
export declare function costOf(hash: string): number;
/**
 * Whether a password is the one of a hash. Blocks for as long as bcrypt takes. A wrong one takes 2^cost rounds, whoever
 * was asked for: comparisons of the costs c, c, c+1, …, cost-1 are as many rounds as one of `cost`.
 */
export declare function passwordFits({ password, hash, cost }: PasswordQuestion): boolean;
