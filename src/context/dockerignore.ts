import { join } from 'node:path';
import { toAppError } from '../core/error.ts';
import { cleanPath } from './clean-path.ts';
import { createMatcher, type IgnoreMatcher } from './ignore-matcher.ts';
import { definitionRoots, readDefinition } from './repository.ts';

/**
 * The patterns of an ignore file in order (Docker's documentation, ".dockerignore files"): lines that start with `#` are
 * comments, white space around a pattern does not count, paths are cleaned and a leading `/` means nothing.
 */
export function parseDockerignore(text: string): string[] {
  const patterns: string[] = [];
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    const line = raw.replace(/\r$/, '');
    const pattern = line.startsWith('#') ? '' : trim(line);
    if (pattern === '') continue;
    if (pattern.startsWith('!')) patterns.push(`!${normalise(trim(pattern.slice(1)))}`);
    else patterns.push(normalise(pattern));
  }
  return patterns;
}

/**
 * The ignore rules of a build: `<Dockerfile>.dockerignore` beside the Dockerfile when it exists, else `.dockerignore` of
 * the context. undefined when there is neither.
 * @param dockerfilePath left out for a named context, which has no Dockerfile
 * @param roots as of definitionRoots; left out, the repository of the context
 * @throws AppError CONTEXT when the file cannot be read or has a malformed pattern; OUTSIDE
 */
export function loadIgnore(
  contextDir: string,
  dockerfilePath?: string,
  roots = definitionRoots(contextDir),
): IgnoreMatcher | undefined {
  const own = dockerfilePath === undefined ? [] : [`${dockerfilePath}.dockerignore`];
  for (const path of [...own, join(contextDir, '.dockerignore')]) {
    const text = readIfThere(path, roots);
    if (text !== undefined) return createMatcher(parseDockerignore(text), path);
  }
  return undefined;
}

function readIfThere(path: string, roots: readonly string[]): string | undefined {
  try {
    return readDefinition(path, roots, { property: 'the ignore file', by: 'operator' }).toString('utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw toAppError(error, 'CONTEXT', `cannot read the ignore file ${path}`, {
      where: { path },
      hint: 'make it readable for the user that builds',
    });
  }
}

function normalise(pattern: string): string {
  if (pattern === '') return pattern;
  const clean = cleanPath(pattern);
  return clean.length > 1 && clean.startsWith('/') ? clean.slice(1) : clean;
}

/** Go's strings.TrimSpace; String.trim would take a byte order mark too. */
function trim(text: string): string {
  return text.replace(
    /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g,
    '',
  );
}
