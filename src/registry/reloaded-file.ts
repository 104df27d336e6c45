import * as fs from 'node:fs';
import { type AppError, toAppError } from '../core/error.ts';
import { readOwnFile } from '../sys/regular-file.ts';

/** What a file of the operator's says, now. */
export interface ReloadedFile<T> {
  /** As of now. Where the file cannot be read any more, or says nothing that counts, what it said last. */
  current(): T;
}

/**
 * Reads a file, and again whenever it has changed.
 * @param parse of its text; @throws AppError for one that means nothing
 * @param onFailure told once of each change that cannot be used
 * @throws AppError USAGE when it cannot be read, and what `parse` throws, now; never later
 */
export function createReloadedFile<T>(
  path: string,
  parse: (text: string) => T,
  onFailure: (error: AppError) => void = () => {},
): ReloadedFile<T> {
  let stamp = stampOf(path);
  let value = parse(readText(path));
  return {
    current: () => {
      const now = stampOf(path);
      if (now === undefined || now === stamp) return value;
      stamp = now;
      try {
        value = parse(readText(path));
      } catch (error) {
        // A file that is being written is read once it is whole.
        onFailure(toAppError(error, 'USAGE', `cannot read ${path}`));
      }
      return value;
    },
  };
}

function readText(path: string): string {
  try {
    return readOwnFile(path).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot read ${path}`, { where: { path } });
  }
}

function stampOf(path: string): string | undefined {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}
