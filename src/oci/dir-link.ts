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
  whereOthersRemove,
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
  // Another process may be first, too.
  return whereOthersRemove(() => {
    const present = readLink(target);
    if (present !== undefined) return present === digest;
    // What is left is damaged: nobody can use it.
    if (ifExists(() => atPlain(target, lstatEntry)) && readLink(target) === undefined)
      moveInto(staged, target);
    else {
      makePlainDirectory(dirname(target));
      linkNew(staged, target);
    }
    return true;
  }, ['ENOENT', 'EEXIST']);
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

/**
 * Removes a tag with its history. The link goes first, so that a killed process leaves no tag that is half there. One that
 * another process makes meanwhile stays.
 *
 * @returns whether it was there
 */
export function removeTag({ tags }: Pick<DirLayout, 'tags'>, tag: string): boolean {
  const directory = join(tags, tag);
  const link = join(directory, 'current/link');
  const there = isThere(link);
  removePlain(link);
  for (const rest of ['current', 'index', '']) if (!removeRest(join(directory, rest), link)) break;
  return there;
}

/** @param link what a tag has that was made meanwhile @returns false where there is one */
function removeRest(directory: string, link: string): boolean {
  if (readLink(link) !== undefined) return false;
  try {
    removePlain(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY') return false;
    throw error;
  }
}
