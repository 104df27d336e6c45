import { resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import type { HookSecrets } from '../../index.ts';
import { type Redactor, secretForms } from '../../report/redact.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { Parsed } from '../options/parse.ts';
import { parseObject } from './json-object.ts';

const HINT = 'write it as {"NAME": "value"}';

/**
 * The variables of the file that --secrets-file names; they are masked in all output from then on.
 * @throws AppError USAGE for a file that cannot be read or holds anything else; no value is in the error
 */
export function hookSecrets(
  { options }: Parsed,
  { cwd, redactor }: { readonly cwd: string; readonly redactor: Redactor },
): HookSecrets | undefined {
  const named = options['secrets-file'];
  if (!named) return undefined;
  const path = resolve(cwd, named);
  const found = Object.entries(parseObject(textOf(path), `the file of secrets ${path}`, HINT));
  for (const [name, value] of found)
    if (!/^[^=\0]+$/.test(name) || typeof value !== 'string' || value.includes('\0'))
      throw new AppError('USAGE', `${JSON.stringify(name)} in ${path} is not a variable with a text`, {
        where: { path },
        hint: HINT,
      });
  const env = Object.fromEntries(found) as Readonly<Record<string, string>>;
  for (const value of Object.values(env)) redactor.add(value);
  return { env, masked: Object.values(env).flatMap(secretForms) };
}

function textOf(path: string): string {
  try {
    return readOwnFile(path).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot read the file of secrets ${path}`, {
      where: { path },
      hint: 'check --secrets-file (ENVBUILDER_SECRETS_FILE), and that the file is mounted into the container',
    });
  }
}
