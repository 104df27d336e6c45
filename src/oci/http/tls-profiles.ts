import * as fs from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { once } from '../../core/concurrency.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import { ifExists } from '../blob-file.ts';

export interface TlsOptions {
  /** PEM certificates that are trusted besides the built-in ones. */
  readonly extraCaPem?: string;
  /** Accept any certificate of any host. */
  readonly insecure?: boolean;
  /** Hosts, with their port where it is not the usual one, of which any certificate is accepted. */
  readonly insecureHosts?: readonly string[];
  /**
   * Directories as Docker's `/etc/docker/certs.d`: for each `HOST[:PORT]` a directory with `*.crt`, authorities that are
   * trusted for that host, and pairs of `*.cert` and `*.key`, with which we authenticate to it.
   */
  readonly certsDirs?: readonly string[];
  /** The same, file by file. */
  readonly hostFiles?: readonly HostFile[];
}

/** PEM files for one host, as `HOST[:PORT]`: an authority, or a certificate of ours and its key. */
export interface HostFile {
  readonly host: string;
  readonly authority?: string;
  readonly pair?: { readonly cert: string; readonly key: string };
}

/** How connections to a host are secured; hosts with the same key can share a pool. */
export interface TlsProfile {
  readonly key: string;
  readonly rejectUnauthorized: boolean;
  readonly secureContext?: SecureContext;
}

/** What a connection without TLS is made with. */
export const PLAIN: TlsProfile = { key: 'plain', rejectUnauthorized: true };

/** TLS settings by host; the files of a host are read once, when it is first asked for. */
export interface TlsProfiles {
  /** @throws AppError REGISTRY when the host's certificates cannot be read */
  forHost(host: string): TlsProfile;
  isInsecure(host: string): boolean;
}

interface HostFiles {
  readonly authorities: readonly string[];
  readonly pairs: readonly { readonly cert: string; readonly key: string }[];
}

/** Reads no file yet. */
export function createTlsProfiles(options: TlsOptions): TlsProfiles {
  const { extraCaPem = '', insecure = false, insecureHosts = [], certsDirs = [], hostFiles = [] } = options;
  const profiles = new Map<string, TlsProfile>();
  const isInsecure = (host: string): boolean => insecure || insecureHosts.includes(host);
  const common = once(() => (extraCaPem.trim() === '' ? undefined : securityOf([extraCaPem], [])));

  const make = (host: string): TlsProfile => {
    const { authorities, pairs } = readHost(certsDirs, hostFiles, host);
    const rejectUnauthorized = !isInsecure(host);
    const own = authorities.length > 0 || pairs.length > 0;
    const extra = extraCaPem.trim() === '' ? authorities : [extraCaPem, ...authorities];
    const secureContext = own ? securityOf(extra, pairs, host) : common();
    return {
      key: own ? host : rejectUnauthorized ? '' : 'insecure',
      rejectUnauthorized,
      ...(secureContext === undefined ? {} : { secureContext }),
    };
  };

  return {
    isInsecure,
    forHost: (host) => {
      let profile = profiles.get(host);
      if (profile === undefined) {
        profile = make(host);
        profiles.set(host, profile);
      }
      return profile;
    },
  };
}

function securityOf(extra: readonly string[], pairs: HostFiles['pairs'], host = ''): SecureContext {
  try {
    return createSecureContext({
      ...(extra.length === 0 ? {} : { ca: [...getCACertificates('default'), ...extra] }),
      cert: pairs.map(({ cert }) => cert),
      key: pairs.map(({ key }) => key),
    });
  } catch (error) {
    throw toAppError(error, 'REGISTRY', `the certificates for ${host || 'registries'} cannot be used`, {
      hint: 'they are PEM files, and each key belongs to the certificate of the same name',
    });
  }
}

function readHost(directories: readonly string[], named: readonly HostFile[], host: string): HostFiles {
  const [authorities, pairs]: [string[], HostFiles['pairs'][number][]] = [[], []];
  for (const { authority, pair } of named.filter((file) => file.host === host)) {
    if (authority !== undefined) authorities.push(read(authority));
    if (pair !== undefined) pairs.push({ cert: read(pair.cert), key: read(pair.key) });
  }
  for (const directory of directories.map((parent) => join(parent, host))) {
    const names = ifExists(() => fs.readdirSync(directory)) ?? [];
    for (const name of names.sort()) {
      const path = join(directory, name);
      if (name.endsWith('.crt')) authorities.push(read(path));
      if (name.endsWith('.key') && !names.includes(name.replace(/key$/, 'cert')))
        throw unpaired(path, 'cert');
      if (!name.endsWith('.cert')) continue;
      if (!names.includes(name.replace(/cert$/, 'key'))) throw unpaired(path, 'key');
      pairs.push({ cert: read(path), key: read(path.replace(/cert$/, 'key')) });
    }
  }
  return { authorities, pairs };
}

function read(path: string): string {
  try {
    return readOwnFile(path).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'REGISTRY', `cannot read ${path}`, { where: { path } });
  }
}

function unpaired(path: string, missing: 'cert' | 'key'): AppError {
  return new AppError('REGISTRY', `${path} has no .${missing} file of the same name beside it`, {
    hint: 'a client certificate is a pair of NAME.cert and NAME.key; authorities end with .crt',
    where: { path },
  });
}
