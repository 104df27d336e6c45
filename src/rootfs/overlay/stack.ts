import { chmodSync, chownSync, lstatSync } from 'node:fs';
import { posix } from 'node:path';
import { fsPath } from '../../core/path-bytes.ts';
import { readToc, tocRange } from '../../layer/toc.ts';
import type { LayerBlob, Toc } from '../../layer/types.ts';
import { WHITEOUT_PREFIX } from '../../layer/whiteout.ts';
import { splitTime } from '../../sys/file-stat.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { inLayer } from '../extract/errors.ts';
import { OVERLAY_XATTRS } from '../snapshot/entry.ts';

export interface StackDeps {
  readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr' | 'setXattr' | 'lutimes'>;
  /** Writes the union of layers into an empty directory. */
  readonly extract: (layers: readonly LayerBlob[], target: string) => Promise<unknown>;
}

/** Entries whose paths may be held at once; more are written anew with all that lies below them. */
const MOST_ENTRIES = 250_000;

/**
 * Writes layers into a directory of their own that an overlay mount puts on top of `below`, so that what lies below is not
 * written again. Only for layers that say all of themselves: with tables of contents, without whiteouts, and with no
 * directory in the place of something else; and only up to MOST_ENTRIES.
 * @param below gives a root directory with the layers below; only asked for when the layers are such
 * @returns whether it was done; if not, nothing is written
 * @throws AppError as extractLayers does, naming the layer
 */
export async function extractOnTop(
  layers: readonly LayerBlob[],
  below: () => Promise<string>,
  target: string,
  { syscalls, extract }: StackDeps,
): Promise<boolean> {
  if (layers.some(({ toc }) => !toc)) return false;
  const read = layers.map(withTocKept);
  const tocs = await Promise.all(read.map(tocOf));
  const paths = pathsOf(tocs);
  if (!paths) return false;
  const root = await below();
  const shared = sharedDirectories(paths, root);
  if (!shared) return false;
  await extract(read, target);
  // A directory that the layers only pass through has the attributes that it has below; the deepest first, for their times.
  for (const path of shared.toSorted().toReversed())
    copyAttributes(syscalls, `${root}/${path}`, `${target}/${path}`);
  return true;
}

async function tocOf(layer: LayerBlob): Promise<Toc> {
  try {
    return await readToc({ ...layer, toc: layer.toc! });
  } catch (error) {
    throw inLayer(layer, error);
  }
}

interface Paths {
  readonly types: ReadonlyMap<string, LayerEntry['type']>;
  /** What has to be a directory, parents before children. */
  readonly directories: readonly string[];
}

/** What layers write; undefined where they change what lies below in another way than by writing over it. */
function pathsOf(tocs: readonly Toc[]): Paths | undefined {
  const types = new Map<string, LayerEntry['type']>();
  const directories = new Set<string>();
  if (tocs.reduce((sum, { entries }) => sum + entries.count, 0) > MOST_ENTRIES) return undefined;
  for (const { entries } of tocs) {
    const own = new Set<string>();
    for (let index = 0; index < entries.count; index += 1) {
      const entry = entries.get(index);
      const { path, type } = entry;
      const known = types.get(path);
      if (isWhiteout(entry) || (type === 'hardlink' && !own.has(entry.linkname))) return undefined;
      if (known !== undefined && (known === 'dir') !== (type === 'dir')) return undefined;
      own.add(path);
      types.set(path, type);
      let at = type === 'dir' ? path : parentOf(path);
      for (; !directories.has(at); at = parentOf(at)) directories.add(at);
    }
  }
  return { types, directories: [...directories].sort() };
}

/**
 * The directories of `below` that layers only pass through, the root always; undefined where a mount would not be what
 * the union is.
 */
function sharedDirectories({ types, directories }: Paths, below: string): string[] | undefined {
  const shared = [''];
  for (const path of directories) {
    if ((types.get(path) ?? 'dir') !== 'dir') return undefined;
    const stat = lstatSync(fsPath(`${below}/${path}`), { throwIfNoEntry: false });
    if (stat && !stat.isDirectory()) return undefined;
    if (stat && path !== '' && !types.has(path)) shared.push(path);
  }
  return shared;
}

/** In a layer, or in a directory that overlayfs reads. */
function isWhiteout({ path, type, devmajor, devminor }: LayerEntry): boolean {
  return (
    posix.basename(path).startsWith(WHITEOUT_PREFIX) || (type === 'char' && devmajor === 0 && devminor === 0)
  );
}

function parentOf(path: string): string {
  const parent = posix.dirname(path);
  return parent === '.' ? '' : parent;
}

function copyAttributes(syscalls: StackDeps['syscalls'], from: string, to: string): void {
  const stat = lstatSync(fsPath(from), { bigint: true });
  chownSync(fsPath(to), Number(stat.uid), Number(stat.gid));
  chmodSync(fsPath(to), Number(stat.mode & 0o7777n));
  for (const name of syscalls.listXattrs(from)) {
    const value = name.startsWith(OVERLAY_XATTRS) ? undefined : syscalls.getXattr(from, name);
    if (value) syscalls.setXattr(to, name, value);
  }
  const { seconds, nanoseconds } = splitTime(stat.mtimeNs);
  syscalls.lutimes(to, Number(seconds), Number(nanoseconds));
}

/** The layer with its table of contents in memory once that was read. */
function withTocKept(layer: LayerBlob): LayerBlob {
  const range = tocRange(layer.toc!);
  let kept: Promise<Buffer> | undefined;
  return {
    ...layer,
    readRange: (offset, length, into) => {
      if (offset !== range.offset || length !== range.length) return layer.readRange(offset, length, into);
      kept ??= layer.readRange(offset, length);
      return kept;
    },
  };
}
