import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../core/make-directories.ts';

/** A file that was written this shortly before it was read may be written again within the same tick of its clock. */
export const RACY_SECONDS = 2;

/** The bytes of a memo behind its header line; undefined when there is none, it cannot be read, or it has another header. */
export function readMemoFile(file: string, header: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const head = Buffer.from(`${header}\n`);
    return bytes.subarray(0, head.length).equals(head) ? bytes.subarray(head.length) : undefined;
  } catch {
    // Only a memo: without it the work is done again.
    return undefined;
  }
}

/** Replaces a memo, whole or not at all; one that cannot be written stays as it was. @param parts what follows the header line */
export function writeMemoFile(file: string, header: string, parts: Iterable<Uint8Array>): void {
  const half = `${file}.tmp-${process.pid}`;
  try {
    makeDirectories(dirname(file), 0o700);
    const fd = openSync(half, 'w', 0o600);
    try {
      writeFileSync(fd, `${header}\n`);
      for (const part of parts) writeFileSync(fd, part);
    } finally {
      closeSync(fd);
    }
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
