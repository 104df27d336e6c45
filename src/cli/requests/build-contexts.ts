import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { contextName, type NamedContext, parseReference } from '../../index.ts';

const HINT = 'write it as NAME=DIRECTORY or NAME=docker-image://REFERENCE';

/**
 * The contexts of `--build-context`, in Docker's notation; the last one of a name counts.
 * @throws AppError USAGE for a value without a name, and for kinds of context that are not supported
 */
export function parseContexts(texts: readonly string[], cwd: string): ReadonlyMap<string, NamedContext> {
  return new Map(texts.map((text) => parseContext(text, cwd)));
}

function parseContext(text: string, cwd: string): [string, NamedContext] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? undefined : contextName(text.slice(0, equals));
  const value = text.slice(equals + 1);
  if (name === undefined || value === '') {
    throw new AppError('USAGE', `--build-context "${text}" is not NAME=VALUE with an image-like name`, {
      hint: HINT,
    });
  }
  const [, scheme, rest] = /^([a-z][a-z0-9+-]*):\/\/(.*)$/.exec(value) ?? [];
  if (scheme === undefined) return [name, { type: 'dir', path: resolve(cwd, value) }];
  if (scheme !== 'docker-image') {
    throw new AppError('USAGE', `--build-context ${name} is of the kind ${scheme}, which is not supported`, {
      hint: HINT,
    });
  }
  parseReference(rest!);
  return [name, { type: 'image', reference: rest! }];
}
