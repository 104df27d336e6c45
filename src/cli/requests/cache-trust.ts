import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import {
  readSigningKey,
  readTrustedKeys,
  type SigningKey,
  type TrustedKey,
  type TrustSettings,
} from '../../index.ts';
import type { Redactor } from '../../report/redact.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { Options } from '../options/table.ts';
import { decodeBase64 } from './base64.ts';

const SIGN_KEY_BASE64 = 'ENVBUILDER_CACHE_SIGN_KEY_BASE64';
const TRUSTED_KEYS_BASE64 = 'ENVBUILDER_CACHE_TRUSTED_KEYS_BASE64';
/** What counts as a key in a directory; others may lie beside them. */
const KEY_FILE = /\.(pem|pub)$/;

/**
 * Whose records count, and how ours are signed; undefined when no option says anything of it. All files are read here,
 * before anything is built.
 * @throws AppError USAGE for a file that cannot be read or is not a key
 */
export function trustSettings(
  options: Options,
  { cwd, redactor }: { readonly cwd: string; readonly redactor: Redactor },
): TrustSettings | undefined {
  const signingKey = signingKeyOf(options, cwd, redactor);
  const text = decodeBase64(TRUSTED_KEYS_BASE64, options['cache-trusted-keys-base64']);
  const trustedKeys = [
    ...options['cache-trusted-keys'].flatMap((path) => keysAt(resolve(cwd, path))),
    ...(text === undefined ? [] : readTrustedKeys(text, TRUSTED_KEYS_BASE64)),
  ];
  if (signingKey === undefined && trustedKeys.length === 0) return undefined;
  return { ...(signingKey ? { signingKey } : {}), trustedKeys };
}

function signingKeyOf(options: Options, cwd: string, redactor: Redactor): SigningKey | undefined {
  const [path, base64] = [options['cache-sign-key-path'], options['cache-sign-key-base64']];
  if (path && base64) {
    throw new AppError('USAGE', 'two keys to sign with are given, as a file and as text', {
      hint: `set only one of ENVBUILDER_CACHE_SIGN_KEY_PATH and ${SIGN_KEY_BASE64}`,
    });
  }
  const file = path ? resolve(cwd, path) : undefined;
  const pem = file ? read(file) : decodeBase64(SIGN_KEY_BASE64, base64);
  if (pem === undefined) return undefined;
  redactor.add(pem);
  return readSigningKey(pem, file ?? SIGN_KEY_BASE64);
}

/** The keys in a file, or in all files of a directory that are called like keys. */
function keysAt(path: string): readonly TrustedKey[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return readTrustedKeys(read(path), path);
  const names = readdirSync(path).filter((name) => KEY_FILE.test(name));
  if (names.length > 0) return names.sort().flatMap((name) => keysAt(join(path, name)));
  throw new AppError('USAGE', `there is no trusted key in ${path}`, {
    hint: 'the files with public keys are called NAME.pem or NAME.pub',
    where: { path },
  });
}

function read(path: string): string {
  try {
    return readOwnFile(path).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot read the key ${path}`, { where: { path } });
  }
}
