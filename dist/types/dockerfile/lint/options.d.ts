/** What a `check` directive says; `skip` holds rule names, or is 'all'. */
export interface LintOptions {
    readonly skip: ReadonlySet<string> | 'all';
    /** Whether a finding is an error. */
    readonly error: boolean;
}
/**
 * Reads `skip=Rule,Rule;error=true`; what follows a blank is a remark. Returns a sentence about what is wrong for a text
 * that it cannot read.
 */
export declare function parseLintOptions(text: string): LintOptions | string;
