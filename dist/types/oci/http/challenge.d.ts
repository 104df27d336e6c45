/** One challenge of a WWW-Authenticate header; parameter names are lower case. */
export interface Challenge {
    /** Lower case: `bearer`, `basic`. */
    readonly scheme: string;
    readonly params: Readonly<Record<string, string>>;
}
/**
 * Parses a WWW-Authenticate header (RFC 9110, section 11.6.1), several challenges in one value included. What cannot be
 * parsed ends the list.
 */
export declare function parseChallenges(header: string): readonly Challenge[];
/** The challenge to answer: bearer before basic, as registries that offer both prefer it. */
export declare function chooseChallenge(header: string | undefined): Challenge | undefined;
