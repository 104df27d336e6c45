import type { SourceRange } from '../core/error.ts';
import { readRegularFile } from '../sys/regular-file.ts';

/** Most bytes of a file of which a line is shown. */
const LARGEST_SOURCE = 16 * 1024 * 1024;

/** The line of a file that a range starts on; undefined when it cannot be read. */
export function readSourceLine({ file, start }: SourceRange): string | undefined {
  return textIfPossible(file).split(/\r?\n/)[start.line - 1] || undefined;
}

/** The text of a file that may not be there, nor be a regular file; '' then. */
export function textIfPossible(path: string): string {
  try {
    return readRegularFile(path, { limit: LARGEST_SOURCE }).toString('utf8');
  } catch {
    // Whoever needs the file reports that it cannot be read; here it only has nothing to add.
    return '';
  }
}
