import { basename, dirname, join } from 'node:path';
import { readDefinition } from './repository.ts';

/** A Dockerfile as it was found. */
export interface FoundDockerfile {
  /** Where it lies, which differs from what was asked for only in the case of its name. */
  readonly path: string;
  readonly content: Buffer;
}

/**
 * Reads a Dockerfile; where none of that name is there, `dockerfile` in its place counts for `Dockerfile`, as under Docker.
 * @param roots as of definitionRoots
 * @throws AppError OUTSIDE; Error as readRegularFile, about the name that was asked for
 */
export function readDockerfileText(path: string, roots: readonly string[]): FoundDockerfile {
  const named = { property: 'the Dockerfile', by: 'operator' } as const;
  try {
    return { path, content: readDefinition(path, roots, named) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || basename(path) !== 'Dockerfile') throw error;
    const other = join(dirname(path), 'dockerfile');
    try {
      return { path: other, content: readDefinition(other, roots, named) };
    } catch (second) {
      throw (second as NodeJS.ErrnoException).code === 'ENOENT' ? error : second;
    }
  }
}
