import { dirname, join } from 'node:path';
import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { lstatEntry } from '../sys/entry.ts';
import {
  atPlain,
  isThere,
  linkPlain,
  makePlainDirectory,
  readPlainFile,
  removePlain,
  writeNewPlain,
  writePlain,
} from '../sys/plain.ts';
import { ifExists, moveInto } from './blob-file.ts';
import { markUsed } from './dir-keep.ts';
import type { DirLayout } from './dir-layout.ts';

/** Bytes, more than any digest has. */
export const LONGEST_LINK = 1024;

/** Writes a link of CNCF Distribution's layout, whole or not at all. @param scratch on the same file system */
export function placeLink(scratch: string, target: string, digest: ContentDigest): void {
  if (readLink(target) === digest) return markUsed(target);
  const staged = join(scratch, 'link');
  writePlain(staged, digest);
  moveInto(staged, target);
}

/**
 * Writes a link that is not there yet, whole or not at all; of any number of processes that do so at once, one succeeds.
 * @returns false where it is there with another digest
 */
export function createLink(scratch: string, target: string, digest: ContentDigest): boolean {
  const staged = join(scratch, 'new-link');
  writePlain(staged, digest);
  for (let attempt = 1; ; attempt += 1) {
    const present = readLink(target);
    if (present !== undefined) return present === digest;
    // What is left is damaged: nobody can use it.
    if (ifExists(() => atPlain(target, lstatEntry))) {
      moveInto(staged, target);
      return true;
    }
    makePlainDirectory(dirname(target));
    try {
      linkNew(staged, target);
      return true;
    } catch (error) {
      // Another process was first, or a garbage collection has removed the empty directory in between.
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (attempt === 3 || !['EEXIST', 'ENOENT'].includes(code)) throw error;
    }
  }
}

/** Hard links appear whole; a file system without them gets a new file, whose few bytes are written at once. */
function linkNew(staged: string, target: string): void {
  try {
    linkPlain(staged, target);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(code)) throw error;
    writeNewPlain(target, readPlainFile(staged, LONGEST_LINK));
  }
}

/** The digest that a link holds; undefined when there is none, or it is damaged. */
export function readLink(path: string): ContentDigest | undefined {
  const text = ifExists(() => readPlainFile(path, LONGEST_LINK).toString('latin1'))?.trim() ?? '';
  return isContentDigest(text) ? text : undefined;
}

/** Removes a link with its directory. @returns whether it was there */
export function removeLink(path: string): boolean {
  const there = isThere(path);
  removePlain(dirname(path));
  return there;
}

/** Removes a tag with its history. The link goes first, so that a killed process leaves no tag that is half there. */
export function removeTag({ tags }: Pick<DirLayout, 'tags'>, tag: string): boolean {
  const directory = join(tags, tag);
  const there = isThere(join(directory, 'current/link'));
  removePlain(join(directory, 'current'));
  removePlain(directory);
  return there;
}
