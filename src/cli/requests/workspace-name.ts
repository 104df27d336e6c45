import { basename, resolve } from 'node:path/posix';

/** What a workspace without a repository is called, or one whose address has no name in it. */
const NOTHING = 'empty';

/** The same that the Go program takes for a scheme, and for `user@host:path`. */
const SCHEME = /^[^:]+:\/\//;
const SCP = /^(?:[^@]+@)?[^:\t\n\f\r ]+:(?:[0-9]{1,5}:)?([^\\][^\n]*)$/;

const URL_PARTS = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)([^?]*)(?:\?(.*))?$/is;
const USER = /^(?:[a-z0-9\-._:~!$&'()*+,;=@]|%[0-9a-f]{2})*$/i;
const HOST =
  /^(?:\[[^\]]*\]|(?:[a-z0-9\-_.~!$&'()*+,;=[\]<>"]|[^\0-\x7f]|%25|%[89a-f][0-9a-f])*)(?::[0-9]*)?$/i;

/**
 * The name of the workspace folder of a repository, as envbuilder (Go) makes it, so that a volume that it has filled is
 * found again: the last part of the path of the address without `.git`, in a URL with escapes resolved and what follows
 * `?` taken for part of the path. Without a path, or where that is no address, it is `empty`. So is a name that is none,
 * such as `..`, where the Go program would leave the folder of workspaces.
 * @param gitUrl as ENVBUILDER_GIT_URL has it
 */
export function workspaceName(gitUrl: string | undefined): string {
  if (!gitUrl) return NOTHING;
  const [address = ''] = gitUrl.trim().split('#', 1);
  const name = basename(pathOf(address) ?? '');
  // What is all path is probably no address: the Go program takes only paths with a slash for such.
  if (name === '' || name === gitUrl) return NOTHING;
  const short = name.replace(/\.git$/, '');
  return ['', '.', '..'].includes(short) || short.includes('\0') ? NOTHING : short;
}

/** The path of an address, escapes resolved; undefined where it is none. */
function pathOf(address: string): string | undefined {
  if (!SCHEME.test(address)) return SCP.exec(address)?.[1] ?? resolve('/', address);
  const [, authority, path = '', query] = URL_PARTS.exec(address) ?? [];
  if (authority === undefined || hasControl(address) || !isAuthority(authority)) return undefined;
  const plain = unescaped(path);
  return plain === undefined || !query ? plain : `${plain}?${query}`;
}

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf('@');
  return USER.test(text.slice(0, Math.max(at, 0))) && HOST.test(text.slice(at + 1));
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\x7f');
}

/** Bytes that are no UTF-8 become U+FFFD; undefined for a `%` that is no escape. */
function unescaped(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const parts = text
    .split(/(%[0-9a-f]{2})/i)
    .map((part) => (/^%[0-9a-f]{2}$/i.test(part) ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part)));
  return Buffer.concat(parts).toString('utf8');
}
