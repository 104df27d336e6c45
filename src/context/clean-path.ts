import { posix } from 'node:path';

/** Go's path.Clean: the shortest equal path, `.` for an empty one, no trailing slash. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

/** A path as seen from a root, relative to it: `..` stops there, '' is the root itself. */
export function pathBelowRoot(path: string): string {
  return posix.resolve('/', path).slice(1);
}
