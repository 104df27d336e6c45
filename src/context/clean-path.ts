import { posix } from 'node:path';

/** Go's path.Clean: the shortest equal path, `.` for an empty one, no trailing slash. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}
