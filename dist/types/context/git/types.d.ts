/** A name and a password for the HTTP servers of one origin. */
export interface HttpLogin {
    /** `https://host[:port]`; no other server is ever sent the login. */
    readonly origin: string;
    readonly username: string;
    readonly password: string;
}
/** How ssh logs in and whom it trusts. */
export interface SshSettings {
    /** A private key as text. */
    readonly key?: string;
    /** The socket of an agent. */
    readonly agent?: string;
    /** Files of known hosts, which make host keys checked strictly. */
    readonly knownHosts: readonly string[];
}
export interface GitSettings {
    /** The program; in the runtime image it is our own. */
    readonly file: string;
    /** PATH for git and its children. */
    readonly path: string;
    /**
     * The user's HOME, whose configuration, credential helpers and SSH set-up then apply; without it git sees nothing but
     * these settings.
     */
    readonly home?: string;
    readonly login?: HttpLogin;
    readonly ssh: SshSettings;
    readonly insecure?: boolean;
    /** PEM certificates that are trusted besides the usual ones. */
    readonly extraCaPem?: string;
    /** A proxy for everything over HTTP; beats `proxy`. */
    readonly proxyUrl?: string;
    readonly proxy?: {
        readonly http?: string;
        readonly https?: string;
        readonly noProxy?: string;
    };
    /** A descriptor that git and its children hold open until the last of them has ended: a lock that outlives us. */
    readonly holds?: number;
    /** Over HTTP a server is given up that sends fewer bytes a second for so many seconds. */
    readonly slow?: {
        readonly bytes: number;
        readonly seconds: number;
    };
    /** Whether submodules may lie in a directory of this machine. */
    readonly localSubmodules?: boolean;
}
/** Why git failed, as far as its messages tell. */
export type GitFailureKind = 'missing-program' | 'auth' | 'proxy-auth' | 'host-key' | 'certificate' | 'no-repository' | 'no-reference' | 'network' | 'slow' | 'disk-full' | 'other';
export interface GitResult {
    readonly code: number;
    readonly stdout: string;
    /** The last lines that git printed on standard error, without its progress. */
    readonly messages: readonly string[];
}
