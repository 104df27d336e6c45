import { type Canonical, canonicalDigest } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import { comparePaths } from '../core/path-bytes.ts';
import type { CopyItem, TreeNode } from './types.ts';

export interface TreeHashOptions {
  /** Whether owners count: they do for files that keep them (COPY --from). */
  readonly ownership: boolean;
  /** Where the files go, as the instruction has it: one that need not be a directory gets the sources one after the other. */
  readonly destination?: string;
  readonly contentDigest: (node: TreeNode) => Promise<Digest>;
}

/**
 * The digest of everything about files that a copy of them keeps: where they go, type, mode, size, content, link target,
 * device numbers, attributes, and which are names of one file. Times and the order on disk do not count. Whoever changes what
 * counts must change the number of the memo in answer-memo.ts too.
 */
export async function treeHash(items: readonly CopyItem[], options: TreeHashOptions): Promise<Digest> {
  const sorted = items
    .map(({ target, node }, order) => ({ target, node, order }))
    .sort((a, b) => comparePaths(a.target, b.target) || a.order - b.order);
  const groups = linkGroups(sorted.map(({ node }) => node));
  const inOrder = options.destination?.endsWith('/') === false && items.some(({ source }) => source > 0);
  const fields: Canonical[] = [];
  for (const { target, node, order } of sorted) {
    const own = await fieldsOf(target, node, options, groups);
    fields.push(inOrder ? [items[order]!.source, own] : own);
  }
  return canonicalDigest(fields);
}

/** Numbers for the files that have several names among these nodes; names elsewhere do not count. */
function linkGroups(nodes: readonly TreeNode[]): ReadonlyMap<string, number> {
  const once = new Set<string>();
  const several = new Map<string, number>();
  for (const { hardlink } of nodes) {
    if (hardlink === undefined) continue;
    if (once.has(hardlink) && !several.has(hardlink)) several.set(hardlink, several.size);
    once.add(hardlink);
  }
  return several;
}

async function fieldsOf(
  target: string,
  node: TreeNode,
  { ownership, contentDigest }: TreeHashOptions,
  groups: ReadonlyMap<string, number>,
): Promise<Canonical> {
  const group = node.hardlink === undefined ? undefined : groups.get(node.hardlink);
  return {
    target,
    type: node.type,
    mode: node.type === 'symlink' ? 0 : node.mode,
    ...(node.type === 'file' ? { size: node.size, content: await contentDigest(node) } : {}),
    ...(node.type === 'symlink' ? { link: node.linkname } : {}),
    ...(node.type === 'char' || node.type === 'block' ? { device: [node.devmajor, node.devminor] } : {}),
    ...(node.xattrs ? { xattrs: Object.fromEntries(node.xattrs) } : {}),
    ...(group === undefined ? {} : { hardlink: group }),
    ...(ownership ? { owner: [node.uid, node.gid] } : {}),
  };
}
