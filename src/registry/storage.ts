import { join } from 'node:path';
import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { type Emit, silent } from '../core/events.ts';
import { ifExists } from '../oci/blob-file.ts';
import { checkDirectory } from '../oci/dir-check.ts';
import { createReachMarks } from '../oci/dir-keep.ts';
import { dirLayout } from '../oci/dir-layout.ts';
import { createDirectoryLock } from '../oci/dir-lock.ts';
import { namesPlain, realPathOf, statPlain } from '../sys/plain.ts';
import type { Storage } from './types.ts';

/** A blob's file as it was seen. */
export interface BlobFile {
  readonly digest: ContentDigest;
  readonly path: string;
}

/** Opens a directory; nothing is written. @throws AppError CACHE_DIR when it holds something else */
export function openStorage(root: string, emit: Emit = silent): Storage {
  checkDirectory(root);
  const real = realPathOf(root);
  return {
    root: real,
    emit,
    lock: createDirectoryLock(real),
    marks: createReachMarks(),
    layout: (repository) => dirLayout(real, repository),
  };
}

/** All blobs of a directory, of all repositories. */
export function* blobFiles(root: string): Generator<BlobFile> {
  const { base } = dirLayout(root, 'any');
  const list = (path: string): readonly string[] => ifExists(() => namesPlain(path)) ?? [];
  for (const algorithm of ['sha256', 'sha512']) {
    const top = join(base, 'blobs', algorithm);
    for (const prefix of list(top)) {
      for (const hex of list(join(top, prefix))) {
        const digest = `${algorithm}:${hex}`;
        const path = join(top, prefix, hex, 'data');
        if (isContentDigest(digest)) yield { digest, path };
      }
    }
  }
}

/** When a file was last used or written, in milliseconds since the epoch; undefined when it is gone. */
export function usedAt(path: string): number | undefined {
  return ifExists(() => statPlain(path))?.mtimeMs;
}
