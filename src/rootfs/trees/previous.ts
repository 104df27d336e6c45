import { createHash } from 'node:crypto';
import { readContents } from '../../layer/frames.ts';
import { readLayer } from '../../layer/read-layer.ts';
import { readToc } from '../../layer/toc.ts';
import type { LayerBlob, Toc, TocEntry } from '../../layer/types.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { inLayer } from '../extract/errors.ts';
import { createUnion } from '../extract/union.ts';
import type { TreeNode } from '../extract/union-tree.ts';

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
  const hashes = new Map<LayerEntry, string>();
  const sizes = new Set(wanted.values());
  const tables: { readonly blob: LayerBlob; readonly toc: Toc }[] = [];
  for (const blob of layers) {
    union.beginLayer();
    if (blob.toc) {
      const toc = await readToc({ ...blob, toc: blob.toc }).catch((error: unknown) => {
        throw inLayer(blob, error);
      });
      tables.push({ blob, toc });
      for (const entry of toc.entries) union.apply(entry);
    } else {
      for await (const { entry, content } of readLayer(await blob.open(), blob.mediaType, blob.digest)) {
        union.apply(entry);
        if (entry.type !== 'file' || !sizes.has(entry.size)) continue;
        const hash = createHash('sha256');
        for await (const chunk of content) hash.update(chunk);
        hashes.set(entry, hash.digest('hex'));
      }
    }
    union.endLayer();
  }
  const found = new Map<string, PreviousContent>();
  const entries = new Map([...wanted.keys()].map((path) => [path, nodeAt(union.root, path)?.inode?.entry]));
  const asked = new Set(entries.values());
  for (const { blob, toc } of tables) {
    const files = toc.entries.filter((entry) => entry.type === 'file' && asked.has(entry));
    for (const [entry, sha256] of await hashContents(blob, toc, files)) hashes.set(entry, sha256);
  }
  for (const [path, entry] of entries) {
    if (entry?.type === 'symlink') found.set(path, { linkname: entry.linkname });
    const sha256 = entry && hashes.get(entry);
    if (entry?.type === 'file' && sha256 !== undefined) found.set(path, { sha256 });
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

function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of path.split('/')) node = node?.children?.get(part);
  return node;
}
