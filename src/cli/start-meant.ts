import type { Environment } from '../core/environment.ts';
import { ownDirectory } from '../core/own-files.ts';
import { readOldNames } from './options/old-names.ts';

/** Variables that say how we run, not what is wanted. */
const ABOUT_US = ['ENVBUILDER_NODE', 'ENVBUILDER_NODE_FLAGS', 'ENVBUILDER_CACHED_IMAGE'];

/**
 * Whether the program without arguments is to start a workspace: as process 1, out of the runtime image, or with any variable
 * that a start reads. Otherwise somebody has only typed its name, and a start would make directories in the root.
 */
export function isStartMeant(
  env: Environment,
  { pid, directory }: { readonly pid: number; readonly directory: string | undefined } = {
    pid: process.pid,
    directory: ownDirectory(),
  },
): boolean {
  if (pid === 1 || directory === '/.envbuilder' || env.KANIKO_DIR) return true;
  const named = Object.keys(env).some((name) => name.startsWith('ENVBUILDER_') && !ABOUT_US.includes(name));
  return named || readOldNames(env).used.length > 0;
}
