import { AppError } from '../../core/error.ts';
import type { Node, Tree } from './tree.ts';

/** Calls `visit` for a node and everything below it, parents first. */
export function walkTree(tree: Tree, node: Node, visit: (node: Node) => void): void {
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    visit(next);
    if (tree.isDir(next)) tree.forEachChild(next, (child) => void stack.push(child));
  }
}

/** What a tree has at a path, which is a list of names; without following symlinks. */
export function nodeAt(tree: Tree, path: string): Node | undefined {
  let node: Node | undefined = tree.root;
  for (const part of path.split('/'))
    node = node === undefined || !tree.isDir(node) ? undefined : tree.child(node, part);
  return node;
}

const MAX_HOPS = 40;

/** What a walk along a path does where the next part is missing, and which nodes it sees. */
export interface Steps {
  /** The directory `name` in `dir` to go on from, or undefined to end the walk without a result. */
  readonly missing: (dir: Node, name: string) => Node | undefined;
  /** Whether the walk may see a node; one that it may not see counts as missing. */
  readonly sees: (node: Node) => boolean;
  /** Called for each directory that is passed. */
  readonly pass?: (dir: Node) => void;
}

/**
 * Walks `path` from the root to a directory as a kernel would that is confined to the root: symlinks are followed inside the
 * tree, `..` in their targets ends at the root.
 * @throws AppError CORRUPT for a path with `..` or NUL, a path below a file, or a loop of symlinks
 */
export function walkPath(tree: Tree, path: string, steps: Steps): Node | undefined {
  const { root } = tree;
  let dir = root;
  let hops = 0;
  const rest = path === '' ? [] : checkedParts(path).reverse();
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      dir = tree.parent(dir) ?? root;
      continue;
    }
    const child = tree.child(dir, part);
    const seen = child !== undefined && steps.sees(child);
    if (seen && !tree.isDir(child)) {
      const { type, linkname } = tree.entry(child);
      if (type !== 'symlink')
        throw new AppError('CORRUPT', `"${path}" lies below "${tree.path(child)}", which is no directory`);
      hops += 1;
      if (hops > MAX_HOPS) throw new AppError('CORRUPT', `"${path}" leads through too many symlinks`);
      if (linkname.startsWith('/')) dir = root;
      for (const next of linkname.split('/').reverse()) rest.push(next);
      continue;
    }
    const next = seen ? child : steps.missing(dir, part);
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
