/** Files in which is kept what a container is, and which process it has. */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { toAppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { readJsonIfThere } from '../core/read-json.ts';
import { isThere, type ProcessMark } from './process-mark.ts';

/** Which process it is. */
export const PROCESS_FILE = 'process.json';

const markShape = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  started: v.string(),
  boot: v.string(),
  namespace: v.string(),
});

/** Writes a file at once or not at all, and makes its directory where it is missing. @throws AppError OUTPUT */
export function writeKept(directory: string, file: string, content: object): void {
  const path = join(directory, file);
  try {
    makeDirectories(directory, 0o700);
    writeFileSync(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write ${path}`, { hint: 'name another --containers-dir' });
  }
}

/** @returns undefined where the process has ended, or nobody knows of one */
export function readKeptProcess(directory: string, file: string): ProcessMark | undefined {
  const mark = v.safeParse(markShape, readJsonIfThere(join(directory, file)));
  return mark.success && isThere(mark.output) ? mark.output : undefined;
}
