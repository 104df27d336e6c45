import { createHash } from 'node:crypto';
import { readLayer } from '../../layer/read-layer.ts';
import { readToc } from '../../layer/toc.ts';
import type { LayerBlob, TocEntry } from '../../layer/types.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { createUnion } from '../extract/union.ts';
import type { TreeNode } from '../extract/union-tree.ts';

/** What a path was in the layers below a step: the hex sha256 of a file, the target of a symlink. */
export interface PreviousContent {
  readonly sha256?: string;
  readonly linkname?: string;
}

/**
 * Looks up in layers what paths had as content before a step changed them in place. Layers with a table of contents are
 * not read; of others all files of a wanted size are hashed.
 * @param wanted sizes by path
 * @returns nothing for a path that the layers do not have
 */
export async function previousContent(
  layers: readonly LayerBlob[],
  wanted: ReadonlyMap<string, number>,
): Promise<Map<string, PreviousContent>> {
  const union = createUnion();
  const hashes = new Map<LayerEntry, string>();
  const sizes = new Set(wanted.values());
  for (const blob of layers) {
    union.beginLayer();
    if (blob.toc) {
      for (const entry of (await readToc(blob.readRange, blob.toc)).entries) union.apply(entry);
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
  for (const path of wanted.keys()) {
    const entry = nodeAt(union.root, path)?.inode?.entry;
    if (entry?.type === 'symlink') found.set(path, { linkname: entry.linkname });
    const sha256 = entry && (hashes.get(entry) ?? (entry as TocEntry).contentDigest?.slice('sha256:'.length));
    if (entry?.type === 'file' && sha256 !== undefined) found.set(path, { sha256 });
  }
  return found;
}

function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of path.split('/')) node = node?.children?.get(part);
  return node;
}
