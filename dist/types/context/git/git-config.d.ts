import type { GitSettings } from './types.ts';
/** What makes git run as its settings say: its environment, and the files that it points to. */
export interface GitSetup {
    readonly env: Readonly<Record<string, string>>;
    /** Descriptors that git must be given, after the standard streams and one more. */
    readonly files: readonly number[];
    /** Lines that ssh added for hosts whose keys it accepted unseen. */
    acceptedHosts(): readonly string[];
    close(): void;
}
/**
 * Writes the configuration of git for some settings. Secrets are in unnamed files only: not in the environment, not in
 * arguments, not in the repository. The files are inherited, since nobody may look into our own entry in /proc once
 * hideProcess was called.
 */
export declare function createGitSetup(settings: GitSettings): GitSetup;
