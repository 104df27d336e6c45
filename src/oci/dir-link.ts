import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { ifExists, moveInto } from './blob-file.ts';
import { markUsed } from './dir-keep.ts';

/** Writes a link of CNCF Distribution's layout, whole or not at all. @param scratch on the same file system */
export function placeLink(scratch: string, target: string, digest: ContentDigest): void {
  if (readLink(target) === digest) return markUsed(target);
  const staged = join(scratch, 'link');
  fs.writeFileSync(staged, digest);
  moveInto(staged, target);
}

/** The digest that a link holds; undefined when there is none, or it is damaged. */
export function readLink(path: string): ContentDigest | undefined {
  const text = ifExists(() => fs.readFileSync(path, 'latin1'))?.trim() ?? '';
  return isContentDigest(text) ? text : undefined;
}

/** Removes a link with its directory. @returns whether it was there */
export function removeLink(path: string): boolean {
  const there = fs.existsSync(path);
  fs.rmSync(dirname(path), { recursive: true, force: true });
  return there;
}
