import { URL_USERINFO } from '../../core/url-credentials.ts';
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

const SCP = /^(?:([^@/\s:]+)@)?(\[[^\]]+\]|[^/:\s@]+):(?!\/\/|:)(.+)$/s;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** Takes an address apart, as git does (git-fetch(1), "Git URLs"); undefined when git knows no such address. */
export function parseGitUrl(text: string): GitUrl | undefined {
  const hash = text.indexOf('#');
  const address = (hash < 0 ? text : text.slice(0, hash)).trim();
  const fragment = hash < 0 ? '' : text.slice(hash + 1).trim();
  const rest = fragment === '' ? {} : { fragment };
  if (address === '' || address.startsWith('-') || fragment.startsWith('-') || /[\n\r\0]/.test(text))
    return undefined;
  const scheme = SCHEME.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const plain = withoutScheme(address);
    return plain && { ...plain, ...rest };
  }
  switch (scheme) {
    case 'http':
    case 'https':
      return httpUrl(address, rest);
    case 'ssh':
    case 'git+ssh':
    case 'ssh+git': {
      const user = /^[^:]+:\/\/(?:([^@/:]+)(?::[^@/]*)?@)?[^@/]/.exec(address);
      if (user === null) return undefined;
      const remote = address.replace(URL_USERINFO, user[1] === undefined ? '$1' : `$1${user[1]}@`);
      return { remote, transport: 'ssh', ...(user[1] === undefined ? {} : { user: user[1] }), ...rest };
    }
    case 'git':
      return { remote: address, transport: 'git', ...rest };
    case 'file':
      return { remote: address, transport: 'local', ...rest };
    default:
      return undefined;
  }
}

/** The same SSH address with another user in it. */
export function withSshUser({ remote, transport }: GitUrl, user: string): string {
  if (transport !== 'ssh') return remote;
  if (SCHEME.test(remote)) return remote.replace(/^([^:]+:\/\/)(?:[^@/]*@)?/, `$1${user}@`);
  return `${user}@${remote.replace(/^[^@/:]*@/, '')}`;
}

function withoutScheme(address: string): Omit<GitUrl, 'fragment'> | undefined {
  const [, user, host] = SCP.exec(address) ?? [];
  // A slash before the first colon makes it a path.
  if (/^[a-z0-9+.-]+::/i.test(address)) return undefined;
  if (host === undefined || /^[./]/.test(address)) return { remote: address, transport: 'local' };
  return { remote: address, transport: 'ssh', ...(user === undefined ? {} : { user }) };
}

function httpUrl(address: string, rest: { readonly fragment?: string }): GitUrl | undefined {
  if (!URL.canParse(address)) return undefined;
  const { origin, username, password } = new URL(address);
  const remote = address.replace(/^([a-z]+:\/\/)[^@/]*@/i, '$1');
  const login =
    username === '' && password === ''
      ? {}
      : { login: { origin, username: decodeURIComponent(username), password: decodeURIComponent(password) } };
  return { remote, transport: 'http', origin, ...login, ...rest };
}
