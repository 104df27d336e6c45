import type { Emit } from '../core/events.ts';
/** What git may log in with; nothing of it is ever written where it could be found later. */
export interface GitCredentials {
    /** For HTTP the user name; for SSH it beats the user in the URL, and `git` is the default. */
    readonly username?: string;
    /** A password or token, for HTTP. */
    readonly password?: string;
    /** A private key without a passphrase, as text. */
    readonly sshKey?: string;
    /** A file with such a key; read when the clone begins. */
    readonly sshKeyFile?: string;
    /** The socket of an SSH agent, used where there is no key. */
    readonly sshAgent?: string;
    /** Files of known hosts. With any, host keys are checked strictly; without, they are accepted and logged. */
    readonly sshKnownHosts: readonly string[];
}
/** How git reaches its servers. */
export interface GitNetwork {
    /** Certificates are not verified. */
    readonly insecure: boolean;
    /** PEM certificates that are trusted besides the usual ones. */
    readonly extraCaPem?: string;
    /** For git alone; beats the others. */
    readonly proxyUrl?: string;
    readonly proxy: {
        readonly http?: string;
        readonly https?: string;
        readonly noProxy?: string;
    };
}
/** The git program; in the runtime image it is our own. */
export interface GitProgram {
    readonly file: string;
    /** PATH for git and its children: ssh, a shell. */
    readonly path: string;
}
/** Which repository, and how much of it. */
export interface CloneRequest {
    /** http(s), ssh, git, file, `user@host:path` or a path; `#NAME`, `#refs/…` or `#COMMIT` picks what is checked out. */
    readonly url: string;
    /** Commits of each branch; all when left out. */
    readonly depth?: number;
    readonly singleBranch: boolean;
    /**
     * Levels of submodules. Left out, all of them are tried, and one that cannot be had is a warning; a number makes that an
     * error, and 0 leaves submodules alone.
     */
    readonly submodules?: number;
    readonly credentials: GitCredentials;
    readonly network: GitNetwork;
    readonly git: GitProgram;
}
export interface WorkspaceRequest {
    /** Absolute path of the workspace. */
    readonly folder: string;
    /** Without one, the folder is made where it is missing, and that is all. */
    readonly clone?: CloneRequest;
}
export interface WorkspaceDeps {
    readonly emit: Emit;
    readonly signal: AbortSignal;
    /** Told of every secret before it is used, so that nothing printed contains it. */
    readonly addSecret: (secret: string) => void;
}
export interface Workspace {
    readonly folder: string;
    /** `found`: there was a clone already, and it is as it was; `empty`: there is no repository. */
    readonly state: 'cloned' | 'found' | 'empty';
    /** What HEAD is, where there is a repository with a commit. */
    readonly commit?: string;
}
