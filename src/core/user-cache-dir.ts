import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/** Our directory for caches of this user (XDG Base Directory Specification). */
export function userCacheDir(env: Environment): string {
  const base = env.XDG_CACHE_HOME;
  // The specification says that relative paths are to be ignored.
  return join(base?.startsWith('/') ? base : join(env.HOME || homedir(), '.cache'), 'envbuilder');
}
