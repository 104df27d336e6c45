import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchUrl } from '../context/add-url.ts';
import type { UrlFacts } from '../plan/inputs.ts';

/**
 * What a URL of ADD holds now: it is downloaded, hashed and thrown away, since only its content decides the key.
 * @throws AppError CONTEXT when it cannot be read, CORRUPT when it does not match the checksum
 */
export async function probeUrl(url: string, checksum: string | undefined): Promise<UrlFacts> {
  const directory = await mkdtemp(join(tmpdir(), 'envbuilder-url-'));
  try {
    const { name, digest, lastModified } = await fetchUrl(url, {
      targetDir: directory,
      ...(checksum === undefined ? {} : { checksum }),
    });
    return { name, digest, ...(lastModified === undefined ? {} : { lastModified }) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
