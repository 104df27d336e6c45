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
  readonly login?: HttpLogin;
  /**
   * The value of an Authorization header, and the addresses that it is sent to, as `http.<url>.*` names them. These may not
   * redirect, since git would send it on.
   */
  readonly authorization?: { readonly scope: string; readonly header: string };
  /** Whether new repositories get what this machine has for them; they do when left out. */
  readonly templates?: boolean;
  readonly ssh: SshSettings;
  readonly insecure?: boolean;
  /** PEM certificates that are trusted besides the usual ones. */
  readonly extraCaPem?: string;
  /** A proxy for everything over HTTP; beats `proxy`. */
  readonly proxyUrl?: string;
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly noProxy?: string };
  /** A descriptor that git and its children hold open until the last of them has ended: a lock that outlives us. */
  readonly holds?: number;
  /** What git makes files with; our own umask when left out. */
  readonly umask?: number;
  /** A server is given up that sends fewer bytes a second for so many seconds. */
  readonly slow?: { readonly bytes: number; readonly seconds: number };
  /** Bytes of memory that git and its children may take together; GIT_MEMORY when left out. */
  readonly memory?: number;
  /** Whether submodules may lie in a directory of this machine. */
  readonly localSubmodules?: boolean;
}

/** Why git failed, as far as its messages tell. */
export type GitFailureKind =
  | 'missing-program'
  | 'auth'
  | 'proxy-auth'
  | 'host-key'
  | 'certificate'
  | 'no-repository'
  | 'no-reference'
  | 'redirect'
  | 'network'
  | 'slow'
  | 'disk-full'
  | 'other';

export interface GitResult {
  readonly code: number;
  readonly stdout: string;
  /** The last lines that git printed on standard error, without its progress. */
  readonly messages: readonly string[];
}
