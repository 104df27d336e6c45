import type { ChangeMode } from '../context/chmod.ts';
import { placeNodes } from '../context/copy-items.ts';
import { follow } from '../context/resolve-copy.ts';
import { treeHash } from '../context/tree-hash.ts';
import type { Brought, CopyItems, SourceTree } from '../context/types.ts';
import type { Canonical } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { ListItems } from './types.ts';

/**
 * All of a path of a tree as items relative to it: a file is one item with the target ''. A link that is named is followed
 * inside the tree, so that what is mounted is never a link.
 * @throws AppError CONTEXT when the path does not exist
 */
export async function contextItems(tree: SourceTree, path: string): Promise<CopyItems> {
  const root = await follow(tree, treePath(path));
  if (!root)
    throw new AppError('CONTEXT', `"${path}" is not in ${tree.name}`, {
      hint: 'check the path and .dockerignore',
    });
  const nodes = await tree.list(root.path);
  const prefix = root.path === '' ? 0 : root.path.length + 1;
  const target = (inside: string): string => (inside === root.path ? '' : inside.slice(prefix));
  return placeNodes(nodes, { source: 0, target });
}

/** A path of a context as its tree has it. */
export function treePath(path: string): string {
  return path.replace(/^\/+|\/+$/g, '').replace(/^\.$/, '');
}

/** What an instruction makes of files. */
export interface Placing {
  /** See TreeHashOptions. */
  readonly destination?: string;
  readonly chmod?: ChangeMode;
  /** See TreeHashOptions. */
  readonly counted?: Brought[];
}

/** The hash that stands for files of a tree in a key: owners do not count, since COPY and ADD set them. */
export function hashItems(tree: SourceTree, items: CopyItems, placing: Placing = {}): Promise<Digest> {
  return treeHash(items, { ownership: false, tree, ...placing });
}

/** What is asked of a tree. */
export interface ItemsQuestion {
  /** Paths of the tree on which alone the list depends, with all below them; undefined when they are not known. */
  readonly paths: readonly string[] | undefined;
  /** Whatever else the list depends on. */
  readonly question: Canonical;
  readonly list: (tree: SourceTree) => Promise<CopyItems>;
  readonly placing?: Placing;
}

/** A longer list is not kept once somebody has had it: that would be the larger part of a build's memory. */
const MOST_KEPT = 20_000;

/** Files of a tree by their hash. While the tree remembers that, they are listed only where somebody wants to have them. */
export async function hashedItems(
  tree: SourceTree,
  { paths, question, list, placing }: ItemsQuestion,
): Promise<{
  readonly tree: SourceTree;
  readonly items: ListItems;
  readonly itemCount: () => number | undefined;
  readonly treeHash: Digest;
}> {
  let items: CopyItems | undefined;
  let lent: WeakRef<CopyItems> | undefined;
  let count: number | undefined;
  const compute = async (from: SourceTree): Promise<Digest> => {
    items = await list(from);
    return hashItems(tree, items, placing);
  };
  const listAgain = async (): Promise<CopyItems> => {
    const found = await list(tree);
    const { counted: _, ...alone } = placing ?? {};
    if ((await hashItems(tree, found, alone)) === hash) return found;
    throw new AppError('CONTEXT', `files of ${tree.name} changed while the build was using them`, {
      hint: 'build again when nothing writes to them any more',
    });
  };
  const hash = await (tree.remembered && paths ? tree.remembered(paths, question, compute) : compute(tree));
  return {
    tree,
    items: async () => {
      const found = items ?? lent?.deref() ?? (await listAgain());
      count = found.length;
      if (count > MOST_KEPT) lent = new WeakRef(found);
      items = count > MOST_KEPT ? undefined : found;
      return found;
    },
    itemCount: () => count ?? items?.length,
    treeHash: hash,
  };
}
