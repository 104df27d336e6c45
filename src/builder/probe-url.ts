import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readUrlNote, storeUrlNote, type UrlNotesDeps } from '../cache/url-note.ts';
import { fetchUrl, headUrl } from '../context/add-url.ts';
import type { SourceAccess } from '../context/source-access.ts';
import type { Store } from '../oci/types.ts';
import type { UrlFacts } from '../plan/inputs.ts';
import { removeTree } from '../sys/remove-tree.ts';

export interface ProbeUrlDeps extends UrlNotesDeps {
  readonly access: SourceAccess;
  /** Where notes are read. */
  readonly store: Store | undefined;
  /** Where new ones go; undefined for a probe. */
  readonly writeTo: Store | undefined;
}

/**
 * What a URL of ADD holds now. Where the cache has a note of it and the server still calls it by the same entity tag, one
 * HEAD tells; else it is downloaded, hashed and thrown away, since only its content decides the key.
 * @throws AppError CONTEXT when it cannot be read, CORRUPT when it does not match the checksum
 */
export async function probeUrl(
  url: string,
  checksum: string | undefined,
  deps: ProbeUrlDeps,
): Promise<UrlFacts> {
  const { store, writeTo } = deps;
  if (store) {
    const [note, head] = await Promise.all([
      readUrlNote(store, url, deps),
      headUrl(url, deps.access, deps.signal),
    ]);
    const same = note !== undefined && head?.etag === note.etag;
    if (same && (checksum === undefined || checksum === note.digest)) {
      const { name, lastModified } = head;
      return { name, digest: note.digest, ...(lastModified === undefined ? {} : { lastModified }) };
    }
  }
  const { name, digest, lastModified, etag } = await download(url, checksum, deps);
  if (writeTo && etag !== undefined) {
    // It saves later builds a download, no more.
    await storeUrlNote(writeTo, url, { etag, digest }, deps).catch(() => {});
  }
  return { name, digest, ...(lastModified === undefined ? {} : { lastModified }) };
}

async function download(
  url: string,
  checksum: string | undefined,
  { access, signal }: Pick<ProbeUrlDeps, 'access' | 'signal'>,
) {
  const directory = await mkdtemp(join(tmpdir(), 'envbuilder-url-'));
  try {
    const options = { targetDir: directory, access, signal, ...(checksum === undefined ? {} : { checksum }) };
    return await fetchUrl(url, options);
  } finally {
    removeTree(directory);
  }
}
