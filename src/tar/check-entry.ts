import { LIMITS } from '../core/limits.ts';
import type { LayerEntry } from './types.ts';

const MOST_MODE = 0o7777;
const MOST_NSEC = 999_999_999;
/** What a header has room for; Linux has 12 bits for the major and 20 for the minor number of a device. */
const MOST_DEVICE = 0o7777777;

/**
 * What is wrong with an entry, as the end of a sentence; undefined when any file system of Linux could hold it. The one
 * place that says what an entry may be, whether a tar header or a table of contents has it.
 */
export function checkEntry(entry: LayerEntry): string | undefined {
  return wrongName(entry) ?? wrongNumber(entry) ?? (entry.xattrs && wrongXattr(entry.xattrs));
}

function wrongName({ path, type, linkname }: LayerEntry): string | undefined {
  if (!isClean(path)) return `with the path ${shown(path)}`;
  if (exceeds(path, LIMITS.path.most)) return `whose path is longer than ${LIMITS.path.most} bytes`;
  // No part is longer than the whole.
  if (
    exceeds(path, LIMITS.name.most) &&
    path.split('/').some((part, at, { length }) => tooLong(part, type !== 'dir' && at === length - 1))
  )
    return `with a name of more than ${LIMITS.name.most} bytes in its path`;
  if (type !== 'symlink' && type !== 'hardlink')
    return linkname === '' ? undefined : `${shown(path)} that is no link and has a target`;
  if (linkname === '' || linkname.includes('\0')) return `${shown(path)} with the target ${shown(linkname)}`;
  if (exceeds(linkname, LIMITS.link.most)) return `whose target is longer than ${LIMITS.link.most} bytes`;
  if (type === 'hardlink' && !isClean(linkname)) return `${shown(path)} with the target ${shown(linkname)}`;
  return undefined;
}

function wrongNumber(entry: LayerEntry): string | undefined {
  const { path, type, mode, uid, gid, size, mtime, mtimeNsec, devmajor, devminor } = entry;
  const bad =
    (!within(mode, MOST_MODE) && `the mode ${mode}`) ||
    (!within(uid, LIMITS.id.most) && `the user ${uid}`) ||
    (!within(gid, LIMITS.id.most) && `the group ${gid}`) ||
    (!within(size, LIMITS.file.most) && `the size ${size}`) ||
    (size !== 0 && type !== 'file' && `the size ${size}, though it is no file`) ||
    (!Number.isSafeInteger(mtime) && `the time ${mtime}`) ||
    (!within(mtimeNsec, MOST_NSEC) && `${mtimeNsec} nanoseconds`) ||
    (!(within(devmajor, MOST_DEVICE) && within(devminor, MOST_DEVICE)) &&
      `the device number ${devmajor}:${devminor}`) ||
    (devmajor + devminor > 0 &&
      type !== 'char' &&
      type !== 'block' &&
      'a device number, though it is no device');
  return bad ? `${shown(path)} with ${bad}` : undefined;
}

function wrongXattr(xattrs: ReadonlyMap<string, Buffer>): string | undefined {
  for (const [name, { length }] of xattrs) {
    if (name === '' || name.includes('\0') || exceeds(name, LIMITS.xattrName.most))
      return `with an extended attribute that has the name ${shown(name)}`;
    if (length > LIMITS.xattrValue.most) return `whose extended attribute ${shown(name)} has ${length} bytes`;
  }
  return undefined;
}

/** @param leaf what is taken away where the name is that of a whiteout, so that its prefix does not count */
function tooLong(name: string, leaf: boolean): boolean {
  const counted = leaf && WHITEOUT.test(name) ? name.slice('.wh.'.length) : name;
  return exceeds(counted, LIMITS.name.most);
}

/** Not what aufs calls its own files by. */
const WHITEOUT = /^\.wh\.(?!\.wh\.)/;

/** Whether a path is the root, or leads down from it by names alone. */
function isClean(path: string): boolean {
  // Nearly all paths have none of these, which is told faster.
  const plain = !path.includes('/.') && !path.includes('//') && path[0] !== '.' && path[0] !== '/';
  if (plain && path.at(-1) !== '/' && !path.includes('\0')) return true;
  return !/(^|\/)(\.{0,2})(\/|$)|\0/.test(path);
}

function within(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}

/** Whether a path string has more bytes than that; three of them at most are one UTF-16 unit. */
function exceeds(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return false;
  return text.length > bytes || Buffer.byteLength(text) - escapes(text) * 2 > bytes;
}

/** Units that stand for one raw byte each (core/path-bytes.ts), and that Node counts as three. */
function escapes(text: string): number {
  return text.isWellFormed()
    ? 0
    : (text.match(/[\udc80-\udcff](?<![\ud800-\udbff][\udc80-\udcff])/g)?.length ?? 0);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
