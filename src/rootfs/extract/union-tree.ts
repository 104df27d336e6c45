import { AppError } from '../../core/error.ts';
import type { LayerEntry } from '../../tar/types.ts';

/** The thing that one or more names point to: made by one entry of one layer, never shared across entries. */
export interface Inode {
  readonly entry: LayerEntry;
  /** Index of the layer that holds the content. */
  readonly layer: number;
  /** Every name it was given; once the plan is made, those that are left. */
  names: TreeNode[];
  /** A path below the target where it exists already under none of its names. */
  kept: string | undefined;
}

/** A path of the union. A directory has `children`, everything else an `inode`. */
export interface TreeNode {
  readonly name: string;
  /** Path string relative to the root; '' for the root. */
  readonly path: string;
  readonly parent: TreeNode | undefined;
  /** Index of the topmost layer that has this path, if only as a parent of something. */
  layer: number;
  /** Permission bits on disk, or NOT_ON_DISK. */
  diskMode: number;
  children: Map<string, TreeNode> | undefined;
  readonly inode: Inode | undefined;
  /** The entry that gives a directory its owner, mode and times, and its layer; undefined when no layer has one. */
  meta: LayerEntry | undefined;
  metaLayer: number;
  /** The layer that hid all that lower layers have below a directory, if one did. */
  clearedBy: number;
}

export const NOT_ON_DISK = -1;

/** Of an inode that has no name yet; never changed. */
export const NO_NAMES: TreeNode[] = [];

/** Gives an inode a further name. A list that grows has room for sixteen, and nearly all files have one name only. */
export function addName(inode: Inode, node: TreeNode): void {
  if (inode.names.length === 0) inode.names = [node];
  else inode.names.push(node);
}

/** A node that is not linked into its parent yet. Without an inode it is a directory. */
export function createNode(
  parent: TreeNode | undefined,
  name: string,
  layer: number,
  inode?: Inode,
): TreeNode {
  return {
    name,
    path: parent === undefined || parent.path === '' ? name : `${parent.path}/${name}`,
    parent,
    layer,
    diskMode: NOT_ON_DISK,
    children: inode ? undefined : new Map(),
    inode,
    meta: undefined,
    metaLayer: -1,
    clearedBy: -1,
  };
}

/** Calls `visit` for a node and everything below it, parents first. */
export function walkTree(node: TreeNode, visit: (node: TreeNode) => void): void {
  const stack = [node];
  for (let next = stack.pop(); next; next = stack.pop()) {
    visit(next);
    if (next.children) for (const child of next.children.values()) stack.push(child);
  }
}

const MAX_HOPS = 40;

/** What a walk along a path does where the next part is missing, and which nodes it sees. */
export interface Steps {
  /** The directory `name` in `dir` to go on from, or undefined to end the walk without a result. */
  readonly missing: (dir: TreeNode, name: string) => TreeNode | undefined;
  /** Whether the walk may see a node; one that it may not see counts as missing. */
  readonly sees: (node: TreeNode) => boolean;
  /** Called for each directory that is passed. */
  readonly pass?: (dir: TreeNode) => void;
}

/**
 * Walks `path` from the root to a directory as a kernel would that is confined to the root: symlinks are followed inside the
 * tree, `..` in their targets ends at the root.
 * @throws AppError CORRUPT for a path with `..` or NUL, a path below a file, or a loop of symlinks
 */
export function walkPath(root: TreeNode, path: string, steps: Steps): TreeNode | undefined {
  let dir = root;
  let hops = 0;
  const rest = path === '' ? [] : checkedParts(path).reverse();
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      dir = dir.parent ?? root;
      continue;
    }
    const child = dir.children!.get(part);
    if (child !== undefined && steps.sees(child) && child.inode !== undefined) {
      const { type, linkname } = child.inode.entry;
      if (type !== 'symlink')
        throw new AppError('CORRUPT', `"${path}" lies below "${child.path}", which is no directory`);
      hops += 1;
      if (hops > MAX_HOPS) throw new AppError('CORRUPT', `"${path}" leads through too many symlinks`);
      if (linkname.startsWith('/')) dir = root;
      for (const next of linkname.split('/').reverse()) rest.push(next);
      continue;
    }
    const next =
      child !== undefined && child.children !== undefined && steps.sees(child)
        ? child
        : steps.missing(dir, part);
    if (next === undefined) return undefined;
    steps.pass?.(next);
    dir = next;
  }
  return dir;
}

/** @throws AppError CORRUPT for parts that a layer must not name */
export function checkedParts(path: string): string[] {
  const parts = path.split('/');
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..' || part.includes('\0')) {
      throw new AppError('CORRUPT', `the path ${JSON.stringify(path)} is not one that a layer may hold`);
    }
  }
  return parts;
}
