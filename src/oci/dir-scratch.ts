import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { makePlainDirectory, namesPlain, removePlain, statPlain, writeNewPlain } from '../sys/plain.ts';
import { ifExists } from './blob-file.ts';

const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * Runs `work` with a new directory in `uploads`, laid out as an upload of CNCF Distribution's, and removes it afterwards.
 * What a killed process leaves there is purged by Distribution and by purgeScratch.
 */
export async function withScratch<T>(uploads: string, work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = join(uploads, randomUUID());
  makePlainDirectory(scratch);
  try {
    writeNewPlain(join(scratch, 'startedat'), `${new Date().toISOString().slice(0, 19)}Z`);
    return await work(scratch);
  } finally {
    removePlain(scratch);
  }
}

/** Removes scratch directories in which nothing was written for a day. */
export function purgeScratch(uploads: string, now = Date.now()): void {
  for (const name of ifExists(() => namesPlain(uploads)) ?? []) {
    const scratch = join(uploads, name);
    const times = [scratch, join(scratch, 'data')].map(
      (path) => ifExists(() => statPlain(path))?.mtimeMs ?? 0,
    );
    if (Math.max(...times) < now - STALE_MS) removePlain(scratch);
  }
}
