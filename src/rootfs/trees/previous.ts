import { createHash } from 'node:crypto';
import { readContents } from '../../layer/frames.ts';
import { readLayer } from '../../layer/read-layer.ts';
import { readToc } from '../../layer/toc.ts';
import type { LayerBlob, Toc, TocEntry } from '../../layer/types.ts';
import type { EntryRow } from '../extract/entry-store.ts';
import { inLayer } from '../extract/errors.ts';
import { createUnion } from '../extract/union.ts';
import { nodeAt } from '../extract/union-tree.ts';

/** What a path was in the layers below a step: the hex sha256 of a file, the target of a symlink. */
export interface PreviousContent {
  readonly sha256?: string;
  readonly linkname?: string;
}

/**
 * Looks up in layers what paths had as content before a step changed them in place. Of layers with a table of contents the
 * frames are read that hold wanted files; of others all files of a wanted size are hashed.
 * @param wanted sizes by path
 * @returns nothing for a path that the layers do not have
 * @throws AppError CORRUPT for a layer that is not what it says, naming it
 */
export async function previousContent(
  layers: readonly LayerBlob[],
  wanted: ReadonlyMap<string, number>,
): Promise<Map<string, PreviousContent>> {
  const union = createUnion();
  const { tree } = union;
  const hashes = new Map<EntryRow, string>();
  const sizes = new Set(wanted.values());
  const tables: { readonly blob: LayerBlob; readonly toc: Toc }[] = [];
  for (const blob of layers) {
    union.beginLayer(blob.toc !== undefined);
    if (blob.toc) {
      const toc = await readToc({ ...blob, toc: blob.toc }).catch((error: unknown) => {
        throw inLayer(blob, error);
      });
      tables.push({ blob, toc });
      for (const entry of toc.entries) union.apply(entry);
    } else {
      for await (const { entry, content } of readLayer(await blob.open(), blob.mediaType, blob.digest)) {
        const node = union.apply(entry);
        if (node === undefined || entry.type !== 'file' || !sizes.has(entry.size)) continue;
        const hash = createHash('sha256');
        for await (const chunk of content) hash.update(chunk);
        hashes.set(tree.inode(node), hash.digest('hex'));
      }
    }
    union.endLayer();
  }
  const leaves = [...wanted.keys()].flatMap((path) => {
    const node = nodeAt(tree, path);
    return node === undefined || tree.isDir(node) ? [] : [{ path, node }];
  });
  const rows = new Map(leaves.map(({ node }) => [tree.entry(node), tree.inode(node)]));
  for (const { blob, toc } of tables) {
    const files = toc.entries.filter((entry) => entry.type === 'file' && rows.has(entry));
    for (const [entry, sha256] of await hashContents(blob, toc, files)) hashes.set(rows.get(entry)!, sha256);
  }
  const found = new Map<string, PreviousContent>();
  for (const { path, node } of leaves) {
    const { type, linkname } = tree.entry(node);
    if (type === 'symlink') found.set(path, { linkname });
    const sha256 = hashes.get(tree.inode(node));
    if (type === 'file' && sha256 !== undefined) found.set(path, { sha256 });
  }
  return found;
}

/** The digests of files in hex. @throws AppError CORRUPT for a frame that is not what the table says */
async function hashContents(
  blob: LayerBlob,
  toc: Toc,
  files: readonly TocEntry[],
): Promise<Map<TocEntry, string>> {
  const digests = new Map<TocEntry, string>();
  try {
    let hash = createHash('sha256');
    let left: number | undefined;
    for await (const { entry, part } of readContents(blob, toc, files)) {
      hash.update(part);
      left = (left ?? entry.size) - part.length;
      if (left > 0) continue;
      const sha256 = hash.digest('hex');
      digests.set(entry, sha256);
      hash = createHash('sha256');
      left = undefined;
    }
  } catch (error) {
    throw inLayer(blob, error);
  }
  return digests;
}
