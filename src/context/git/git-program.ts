import { ownDirectory, ownProgram } from '../../core/own-files.ts';
import type { GitSettings } from './types.ts';

/** The git to use, with a PATH where it finds ssh and a shell: our own ones in the runtime image. */
export function gitProgram(path: string): Pick<GitSettings, 'file' | 'path'> {
  const own = ownDirectory();
  return { file: ownProgram('git'), path: own === undefined ? path : `${own}/bin:${path}` };
}
