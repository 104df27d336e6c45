import { AppError } from '../core/error.ts';
import { formatBytes } from '../core/units.ts';
import { readContents } from '../layer/frames.ts';
import { readLayer } from '../layer/read-layer.ts';
import { readToc } from '../layer/toc.ts';
import type { LayerBlob, Toc, TocEntry } from '../layer/types.ts';
import { inLayer } from '../rootfs/extract/errors.ts';
import type { Node, Tree } from '../rootfs/extract/tree.ts';
import { applyAll, createUnion, type Union } from '../rootfs/extract/union.ts';
import { nodeAt, walkPath, walkTree } from '../rootfs/extract/union-tree.ts';
import type { TarItem } from '../tar/reader.ts';
import { type Database, databaseAt, FIXED_PATHS, mayBeDatabase } from './databases.ts';
import { oneLine } from './text.ts';
import type { Distribution, Found, FoundPackage, Inventory, Unread } from './types.ts';

/** Many times what an image has; who has more is told so. */
const MOST_PACKAGES = 200_000;

/** What came of reading a file: what stands in it, or why that is not known. */
type Reading = Found | string;

/**
 * Which packages lie in an image, by the databases in its layers. Nothing is unpacked, and no link is followed, so what a
 * layer holds can lead nowhere else. Of a layer with a table of contents only the parts with databases are read; one without
 * is read from its beginning to its end.
 * @param layers lowest first
 * @throws AppError CORRUPT for a layer that is damaged or holds what no layer may hold, and what the store throws
 */
export async function readImage(layers: readonly LayerBlob[], signal: AbortSignal): Promise<Inventory> {
  const union = createUnion();
  const { tree } = union;
  /** By inode: a file has one content under all of its names. */
  const readings = new Map<number, Reading>();
  const tables = new Map<number, { readonly blob: LayerBlob; readonly toc: Toc }>();
  for (const [index, blob] of layers.entries()) {
    signal.throwIfAborted();
    try {
      if (!blob.toc) await readStream(blob, { union, readings, signal });
      else {
        const toc = await readToc({ ...blob, toc: blob.toc });
        applyAll(union, toc.entries);
        tables.set(index, { blob, toc });
      }
    } catch (error) {
      signal.throwIfAborted();
      throw inLayer(blob, error);
    }
  }
  const found = databasesIn(tree);
  for (const [index, { blob, toc }] of tables) {
    const here = found.filter(({ node }) => tree.type(node) === 'file' && tree.inodeLayer(node) === index);
    try {
      await readFrames(blob, toc, { here, tree, readings, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw inLayer(blob, error);
    }
  }
  return inventoryOf(tree, found, readings);
}

/** A database of the image, whatever it is. */
interface Place {
  readonly node: Node;
  readonly path: string;
  readonly database: Database;
}

async function readStream(
  blob: LayerBlob,
  of: { readonly union: Union; readonly readings: Map<number, Reading>; readonly signal: AbortSignal },
): Promise<void> {
  const { union, readings, signal } = of;
  const stream = await blob.open();
  const stop = (): void => void stream.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    union.beginLayer();
    for await (const item of readLayer(stream, blob.mediaType, blob.digest, { brief: true })) {
      const node = union.apply(item.entry);
      if (node === undefined || item.entry.type !== 'file') continue;
      const database = databaseOf(union.tree, node);
      if (database) readings.set(union.tree.inode(node), await readItem(item, database));
    }
    union.endLayer();
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

async function readItem({ entry, content }: TarItem, database: Database): Promise<Reading> {
  const refused = refusal(database, entry.size);
  if (refused !== undefined) return refused;
  const parts: Buffer[] = [];
  // The memory of a part is used again for the next one.
  for await (const part of content) parts.push(Buffer.from(part));
  return readWhole(Buffer.concat(parts), database);
}

async function readFrames(
  blob: LayerBlob,
  toc: Toc,
  of: {
    readonly here: readonly Place[];
    readonly tree: Tree;
    readonly readings: Map<number, Reading>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { here, tree, readings, signal } = of;
  const wanted = new Map<number, { readonly entry: TocEntry; readonly place: Place }>();
  for (const place of here) {
    const at = tree.place(place.node)!;
    const entry = toc.entries.get(at);
    const refused = refusal(place.database, entry.size);
    if (refused !== undefined) readings.set(tree.inode(place.node), refused);
    else wanted.set(at, { entry, place });
  }
  const sorted = [...wanted].sort(([a], [b]) => a - b).map(([, one]) => one);
  const places = new Map(sorted.map(({ entry, place }) => [entry, place]));
  let last: TocEntry | undefined;
  let parts: Buffer[] = [];
  const end = (): void => {
    const place = last && places.get(last);
    if (place) readings.set(tree.inode(place.node), readWhole(Buffer.concat(parts), place.database));
    parts = [];
  };
  for await (const { entry, part } of readContents(
    blob,
    toc,
    sorted.map(({ entry }) => entry),
  )) {
    signal.throwIfAborted();
    if (entry !== last) end();
    last = entry;
    parts.push(part);
  }
  end();
}

function readWhole(bytes: Buffer, { read }: Database): Reading {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof SyntaxError) return 'is not JSON';
    return (error as Error).message;
  }
}

function refusal({ most, refused }: Database, size: number): string | undefined {
  return refused ?? (size > most ? `has more than ${formatBytes(most)}` : undefined);
}

function databaseOf(tree: Tree, node: Node): Database | undefined {
  const parent = tree.parent(node);
  const directory = parent === undefined ? undefined : tree.name(parent);
  return mayBeDatabase(tree.name(node), directory) ? databaseAt(tree.path(node)) : undefined;
}

function databasesIn(tree: Tree): readonly Place[] {
  const found: Place[] = [];
  walkTree(tree, tree.root, (node) => {
    const database = tree.isDir(node) ? undefined : databaseOf(tree, node);
    if (database) found.push({ node, path: tree.path(node), database });
  });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function inventoryOf(tree: Tree, found: readonly Place[], readings: ReadonlyMap<number, Reading>): Inventory {
  const packages: FoundPackage[] = [];
  const unread: Unread[] = [...behindLinks(tree)];
  const distributions = new Map<string, Distribution>();
  for (const { node, path: place, database } of found) {
    const path = oneLine(place) ?? 'a path';
    const reading =
      tree.type(node) === 'file' ? (readings.get(tree.inode(node)) ?? 'is empty') : 'is no file';
    if (typeof reading === 'string') {
      if (tree.type(node) === 'file' || database.fixed) unread.push({ path, why: reading });
      continue;
    }
    if (reading.distribution) distributions.set(path, reading.distribution);
    const room = MOST_PACKAGES - packages.length;
    if (reading.packages.length > room)
      unread.push({ path, why: `is left out with those behind it: more than ${MOST_PACKAGES} packages` });
    for (const one of reading.packages.slice(0, room)) packages.push({ ...one, path });
    if (reading.packages.length > room) break;
  }
  const distribution = distributions.get('etc/os-release') ?? distributions.get('usr/lib/os-release');
  return { packages, distribution, unread };
}

/** Databases that their programs find by links, in a place where none is looked for. */
function* behindLinks(tree: Tree): Generator<Unread> {
  for (const path of FIXED_PATHS) {
    const cut = path.lastIndexOf('/');
    let directory: Node | undefined;
    try {
      directory = walkPath(tree, path.slice(0, cut), { sees: () => true, missing: () => undefined });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    const node = directory === undefined ? undefined : tree.child(directory, path.slice(cut + 1));
    if (node === undefined || tree.isDir(node) || nodeAt(tree, path) === node) continue;
    if (!databaseAt(tree.path(node)))
      yield { path, why: `is reached by links, at ${oneLine(tree.path(node)) ?? 'a path'}` };
  }
}
