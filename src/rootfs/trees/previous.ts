import { createHash } from 'node:crypto';
import type { EntryRow } from '../../layer/entry-store.ts';
import { readContents } from '../../layer/frames.ts';
import { readLayer } from '../../layer/read-layer.ts';
import { readToc } from '../../layer/toc.ts';
import type { LayerBlob, Toc, TocEntry } from '../../layer/types.ts';
import { inLayer } from '../extract/errors.ts';
import { applyAll, createUnion } from '../extract/union.ts';
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
  const tables: { readonly blob: LayerBlob; readonly toc: Toc; readonly layer: number }[] = [];
  for (const [layer, blob] of layers.entries()) {
    if (blob.toc) {
      const toc = await readToc({ ...blob, toc: blob.toc }).catch((error: unknown) => {
        throw inLayer(blob, error);
      });
      tables.push({ blob, toc, layer });
      applyAll(union, toc.entries);
    } else {
      union.beginLayer();
      for await (const { entry, content } of readLayer(await blob.open(), blob.mediaType, blob.digest)) {
        const node = union.apply(entry);
        if (node === undefined || entry.type !== 'file' || !sizes.has(entry.size)) continue;
        const hash = createHash('sha256');
        for await (const chunk of content) hash.update(chunk);
        hashes.set(tree.inode(node), hash.digest('hex'));
      }
      union.endLayer();
    }
  }
  const leaves = [...wanted.keys()].flatMap((path) => {
    const node = nodeAt(tree, path);
    return node === undefined || tree.isDir(node) ? [] : [{ path, node }];
  });
  for (const { blob, toc, layer } of tables) {
    const files = leaves.filter(({ node }) => tree.type(node) === 'file' && tree.inodeLayer(node) === layer);
    const inodes = new Map(files.map(({ node }) => [tree.place(node)!, tree.inode(node)]));
    const wantedFiles = [...inodes].toSorted(([a], [b]) => a - b);
    const digests = await hashContents(
      blob,
      toc,
      wantedFiles.map(([place]) => toc.entries.get(place)),
    );
    for (const [index, [, inode]] of wantedFiles.entries()) hashes.set(inode, digests[index]!);
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

/** The digests of files in hex, in their order. @throws AppError CORRUPT for a frame that is not what the table says */
async function hashContents(blob: LayerBlob, toc: Toc, files: readonly TocEntry[]): Promise<string[]> {
  const digests: string[] = [];
  try {
    let hash = createHash('sha256');
    let left: number | undefined;
    for await (const { entry, part } of readContents(blob, toc, files)) {
      hash.update(part);
      left = (left ?? entry.size) - part.length;
      if (left > 0) continue;
      digests.push(hash.digest('hex'));
      hash = createHash('sha256');
      left = undefined;
    }
  } catch (error) {
    throw inLayer(blob, error);
  }
  return digests;
}
