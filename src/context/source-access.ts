import { AppError } from '../core/error.ts';
import type { NetworkLimits } from '../core/network-limits.ts';
import type { Transport } from '../oci/http/transport.ts';
import type { GitSettings } from './git/types.ts';

/**
 * What a build was given to fetch the sources of ADD with. Nothing else of the machine plays a part: no configuration, no
 * credential helper, no agent, no netrc, no SSH set-up of its user.
 */
export interface SourceAccess {
  /** The value of a build secret; undefined when the build was not given it. */
  readonly secret: (id: string) => Promise<Buffer | undefined>;
  /** The socket of the SSH agent that the build was given as `default`. */
  readonly agent?: string;
  /** PATH for git and its children. */
  readonly path: string;
  readonly network: Pick<GitSettings, 'proxy' | 'insecure' | 'extraCaPem'>;
  readonly transport: () => Transport;
  readonly limits: NetworkLimits;
}

/** A header for some addresses of git over HTTP. */
export interface GitAuthorization {
  /** The addresses, as git's `http.<url>.*` names them. */
  readonly scope: string;
  /** The value of the Authorization header. */
  readonly header: string;
}

/** Hosts all of whose repositories take one token, so that it serves submodules as well (as BuildKit and actions/checkout). */
const WHOLE_HOSTS = ['https://github.com/', 'https://www.github.com/'];

/**
 * The authorization of a git address by the secrets that BuildKit names for it: `GIT_AUTH_HEADER.HOST`,
 * `GIT_AUTH_TOKEN.HOST`, `GIT_AUTH_HEADER`, `GIT_AUTH_TOKEN`, the first that there is. HOST has the port where the address
 * has one.
 * @throws AppError USAGE when a secret cannot be a header
 */
export async function gitAuthorization(
  remote: string,
  { secret }: Pick<SourceAccess, 'secret'>,
): Promise<GitAuthorization | undefined> {
  const host = hostOf(remote);
  if (host === undefined) return undefined;
  const names = [...hostNames(host), ''].flatMap((name) => {
    const suffix = name === '' ? '' : `.${name}`;
    return [`GIT_AUTH_HEADER${suffix}`, `GIT_AUTH_TOKEN${suffix}`];
  });
  for (const id of names) {
    const value = await secretText(id, secret);
    if (value === undefined) continue;
    const token = id.startsWith('GIT_AUTH_TOKEN');
    const header = token ? `basic ${Buffer.from(`x-access-token:${value}`).toString('base64')}` : value;
    return { scope: WHOLE_HOSTS.find((prefix) => remote.startsWith(prefix)) ?? remote, header };
  }
  return undefined;
}

/**
 * The Authorization header of a download by the secrets that BuildKit names for it: `HTTP_AUTH_TOKEN_HOST`, sent as a
 * bearer token, else `HTTP_AUTH_HEADER_HOST`. HOST has no port.
 * @throws AppError USAGE when a secret cannot be a header
 */
export async function urlAuthorization(
  url: string,
  { secret }: Pick<SourceAccess, 'secret'>,
): Promise<string | undefined> {
  const host = hostOf(url)
    ?.replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  if (host === undefined) return undefined;
  for (const name of hostNames(host)) {
    const token = await secretText(`HTTP_AUTH_TOKEN_${name}`, secret);
    if (token !== undefined) return `Bearer ${token}`;
    const header = await secretText(`HTTP_AUTH_HEADER_${name}`, secret);
    if (header !== undefined) return header;
  }
  return undefined;
}

/** Host and port of an HTTP address, as they are written; undefined for any other address. */
function hostOf(address: string): string | undefined {
  return /^https?:\/\/(?:[^/?#]*@)?([^/?#]+)/i.exec(address)?.[1];
}

/** A host as it is written, and in lower case where that is another name. */
function hostNames(host: string): readonly string[] {
  return [...new Set([host, host.toLowerCase()])];
}

/** A secret as one line; what ends the last line of a file is no part of it. */
async function secretText(id: string, secret: SourceAccess['secret']): Promise<string | undefined> {
  const value = await secret(id);
  if (value === undefined) return undefined;
  const text = value.toString('utf8').replace(/[\r\n]+$/, '');
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  throw new AppError('USAGE', `the secret ${id} cannot be sent: it is empty, or not one line of ASCII`, {
    hint: 'put the token, or the value of the Authorization header, alone into it',
  });
}
