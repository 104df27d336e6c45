import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { contextName, isGitContext, type NamedContext, parseReference } from '../../index.ts';
import { directoryOf } from './image-location.ts';

const HINT =
  'write NAME=DIRECTORY, NAME=docker-image://REFERENCE, NAME=oci-layout://DIRECTORY:TAG, NAME=target:STAGE, or a URL of a repository or file';

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
  return [name, contextOf(name, value, cwd)];
}

function contextOf(name: string, value: string, cwd: string): NamedContext {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+-]*):(?:\/\/)?(.*)$/s.exec(value) ?? [];
  if (scheme === 'docker-image') {
    parseReference(rest);
    return { type: 'image', reference: rest };
  }
  if (scheme === 'oci-layout') return layoutOf(rest, cwd);
  if (isGitContext(value)) return { type: 'git', url: value };
  if (scheme === 'http' || scheme === 'https') return { type: 'url', url: value };
  if (scheme === 'target' && rest !== '') return { type: 'target', target: rest };
  if (scheme !== undefined && value.startsWith(`${scheme}://`)) {
    throw new AppError('USAGE', `--build-context ${name} is of the kind ${scheme}, which is not supported`, {
      hint: HINT,
    });
  }
  return { type: 'dir', path: resolve(cwd, value) };
}

function layoutOf(text: string, cwd: string): NamedContext {
  return { ...directoryOf(text, cwd), type: 'layout' };
}
