import type { HttpLogin } from './types.ts';
/** The address of a repository, taken apart. */
export interface GitUrl {
    /** What git is called with, and what it stores as `origin`: no password, no fragment. */
    readonly remote: string;
    readonly transport: 'http' | 'ssh' | 'git' | 'local';
    /** For HTTP: `https://host[:port]`. */
    readonly origin?: string;
    /** For SSH: the user before the host. */
    readonly user?: string;
    /** The login that an HTTP address contains. */
    readonly login?: HttpLogin;
    /** What follows `#`. */
    readonly fragment?: string;
}
/** Takes an address apart, as git does (git-fetch(1), "Git URLs"); undefined when git knows no such address. */
export declare function parseGitUrl(text: string): GitUrl | undefined;
/** The same SSH address with another user in it. */
export declare function withSshUser({ remote, transport }: GitUrl, user: string): string;
