import { X509Certificate } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { Options } from '../options/table.ts';
import { decodeBase64 } from './base64.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificate authorities that are trusted besides the usual ones, as PEM: what the options give, and the files and
 * directories that OpenSSL's variables name. The latter often mean the image that a container ends up as, so what is not
 * there, or is no certificate, is passed over.
 * @throws AppError USAGE for an option that is not what it should be
 */
export function trustedCertificates(options: Options, env: Environment): string | undefined {
  const text = decodeBase64('ENVBUILDER_SSL_CERT_BASE64', options['ssl-cert-base64']);
  const named = (paths: string | undefined, read: (path: string) => readonly string[], variable: string) =>
    split(paths).flatMap((path) => must(path, read, variable));
  const readDirectory = createDirectoryReader();
  const blocks = new Set([
    ...named(options['ssl-cert-file'], readBlocks, 'ENVBUILDER_SSL_CERT_FILE'),
    ...named(options['ssl-cert-dir'], readDirectory, 'ENVBUILDER_SSL_CERT_DIR'),
    ...split(env.SSL_CERT_FILE).flatMap(ifReadable(readBlocks)),
    ...split(env.SSL_CERT_DIR).flatMap(ifReadable(readDirectory)),
  ]);
  // A bundle has what the directory beside it has, and looking at a certificate takes a while.
  const all = [...(text === undefined ? [] : [text]), ...[...blocks].filter(isCertificate)];
  return all.length === 0 ? undefined : all.join('\n');
}

const split = (paths: string | undefined): string[] => (paths ?? '').split(delimiter).filter(Boolean);

function must(path: string, read: (path: string) => readonly string[], variable: string): readonly string[] {
  let blocks: readonly string[];
  try {
    blocks = read(path);
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot read ${path}, which ${variable} names`, { where: { path } });
  }
  if (blocks.some(isCertificate)) return blocks;
  throw new AppError('USAGE', `there is no certificate in ${path}, which ${variable} names`, {
    hint: 'certificates are PEM, between BEGIN CERTIFICATE and END CERTIFICATE lines',
    where: { path },
  });
}

function ifReadable(read: (path: string) => readonly string[]): (path: string) => readonly string[] {
  return (path) => {
    try {
      return read(path);
    } catch {
      return [];
    }
  };
}

/** Reads a file once, however many links lead to it: a directory of OpenSSL has two for each. */
function createDirectoryReader(): (directory: string) => string[] {
  const known = new Map<string, readonly string[]>();
  const read = (path: string): readonly string[] => {
    const status = statSync(path);
    if (!status.isFile()) return [];
    const file = `${status.dev}:${status.ino}`;
    const blocks = known.get(file) ?? readBlocks(path);
    known.set(file, blocks);
    return blocks;
  };
  return (directory) =>
    readdirSync(directory)
      .sort()
      .map((name) => join(directory, name))
      .flatMap(ifReadable(read));
}

function readBlocks(path: string): string[] {
  return readOwnFile(path).toString('latin1').match(BLOCK) ?? [];
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block) !== undefined;
  } catch {
    return false;
  }
}
