import { lstatSync, type Stats } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';

/** What lies at a path; undefined for nothing, as where a file is above it. */
export function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
