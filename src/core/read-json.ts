import { readFileSync } from 'node:fs';

/**
 * The JSON in a file of our own.
 * @returns undefined where there is no such file, or what is in it is no JSON
 * @throws what node:fs throws where it cannot be read
 */
export function readJsonIfThere(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
