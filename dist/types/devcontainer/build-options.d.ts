import type { NamedContext } from '../builder/types.ts';
import type { Emit } from '../core/events.ts';
import type { ReadConfig } from './read-config.ts';
import type { DefinitionBuild } from './types.ts';
/** Applies `build.options`, flags of `docker build`: those that we know are honoured, the others are warned about. */
export declare function applyBuildOptions(build: DefinitionBuild, { config, document, folder }: Pick<ReadConfig, 'config' | 'document' | 'folder'>, emit: Emit): DefinitionBuild;
/** What a named context stands for: an image, or a directory relative to `cwd`. */
export declare function contextOf(source: string, cwd: string): NamedContext;
