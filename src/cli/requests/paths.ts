import { join, resolve } from 'node:path';
import type { Parsed } from '../options/parse.ts';

/**
 * Where a Dockerfile lies.
 * @param named what was asked for, and whether by a flag (relative to `cwd`) or a variable (relative to `base`)
 */
export function dockerfilePath(
  named: { readonly path: string | undefined; readonly how: 'flag' | 'variable' | undefined },
  { base, cwd }: { readonly base: string; readonly cwd: string },
): string {
  if (named.path === undefined) return join(base, 'Dockerfile');
  return resolve(named.how === 'flag' ? cwd : base, named.path);
}

/** The folder of dev containers where somebody has said which. */
export function givenFolder({ options, given }: Parsed): { readonly devcontainerDir?: string } {
  return given.has('devcontainer-dir') ? { devcontainerDir: options['devcontainer-dir'] } : {};
}
