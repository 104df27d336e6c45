import type { GitSettings } from './types.ts';
/** The git to use, with a PATH where it finds ssh and a shell: our own ones in the runtime image. */
export declare function gitProgram(path: string): Pick<GitSettings, 'file' | 'path'>;
