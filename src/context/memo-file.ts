import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../core/make-directories.ts';

/** A file that was written this shortly before it was read may be written again within the same tick of its clock. */
export const RACY_SECONDS = 2;

/** The text of a memo, header line included; '' when there is none, it cannot be read, or it has another header. */
export function readMemoFile(file: string, header: string): string {
  try {
    const text = readFileSync(file, 'latin1');
    return text.startsWith(`${header}\n`) ? text : '';
  } catch {
    // Only a memo: without it the work is done again.
    return '';
  }
}

/** Replaces a memo, whole or not at all; one that cannot be written stays as it was. */
export function writeMemoFile(file: string, header: string, lines: readonly string[]): void {
  const half = `${file}.tmp-${process.pid}`;
  try {
    makeDirectories(dirname(file), 0o700);
    writeFileSync(half, [header, ...lines, ''].join('\n'), { mode: 0o600 });
    renameSync(half, file);
  } catch {
    removeIfPossible(half);
  }
}

function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Something else is in the way of its directory.
  }
}
