import { posix } from 'node:path';

/** `path` made absolute against a working directory and cleaned; a trailing slash (or `/.`) stays as one slash. */
export function joinImagePath(workdir: string, path: string): string {
  const directory = path.endsWith('/') || path === '.' || path.endsWith('/.');
  const joined = posix.normalize(posix.join('/', path.startsWith('/') ? '' : workdir, path));
  const bare = joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
  return directory && bare !== '/' ? `${bare}/` : bare;
}

/** As joinImagePath, without the trailing slash. */
export function imageDirectory(workdir: string, path: string): string {
  const joined = joinImagePath(workdir, path);
  return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
}

/** The id of a cache mount: its target as it is written, cleaned, where it has none. */
export function cacheId({ id, target }: { readonly id?: string; readonly target?: string }): string {
  return id ?? posix.join(target ?? '.').replace(/(.)\/$/, '$1');
}
