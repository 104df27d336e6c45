import { AppError } from '../../core/error.ts';
import { OPAQUE_NAME, WHITEOUT_PREFIX } from '../../layer/whiteout.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { createEntryCount } from './entry-count.ts';
import {
  addName,
  checkedParts,
  createNode,
  type Inode,
  NO_NAMES,
  NOT_ON_DISK,
  type TreeNode,
  walkPath,
} from './union-tree.ts';

/** What happens to the tree while entries are applied, for a caller that mirrors it on disk. */
export interface UnionEvents {
  /** A node and all below it left the tree. */
  readonly removed?: (node: TreeNode) => void;
  /** A whiteout of a path, or an opaque directory: whatever lower layers have there, or below, is not seen. */
  readonly hidden?: (path: string, what: 'path' | 'below') => void;
  /** Layers below are not known: a hard link to what no layer has may be one to theirs, and stays as it is. */
  readonly partial?: boolean;
}

/** The union of layers, in memory. */
export interface Union {
  readonly root: TreeNode;
  /** Files that entries brought so far, whether or not they are still there. */
  fileCount(): number;
  /** Begins the next layer and returns its index. */
  beginLayer(): number;
  /**
   * Applies the next entry of the layer. Returns the node of a file, symlink, device or hard link that is now in the tree;
   * undefined for directories and whiteouts.
   * @throws AppError CORRUPT for an entry that no layer may hold
   */
  apply(entry: LayerEntry): TreeNode | undefined;
  endLayer(): void;
}

/**
 * A union with the outcome of an overlay mount in which every layer was unpacked to a directory of its own (OCI image spec,
 * "Representing Changes"):
 * - symlinks in a parent path are followed when the same layer has them; one of a lower layer is replaced by a directory;
 * - a directory over a directory merges, and the topmost layer with an entry for it gives it its metadata; anything else
 *   replaces what it finds;
 * - whiteouts and opaque directories hide what lower layers have, never what the same layer has;
 * - a hard link shares the inode of its target, in its own layer or else below, whatever becomes of the target later.
 */
export function createUnion(events: UnionEvents = {}): Union {
  const root = createNode(undefined, '', -1);
  let layer = -1;
  let files = 0;
  /** Names that are bookkeeping of aufs; hard links may refer to them until their layer ends. */
  let hidden: TreeNode[] = [];
  /** What this layer took away, the first at each path; hard links may still refer to it. */
  const gone = new Map<string, TreeNode>();
  const count = createEntryCount();
  let lastDirPath: string | undefined;
  let lastDir = root;

  const attach = (node: TreeNode): TreeNode => {
    node.parent!.children!.set(node.name, node);
    if (node.name.startsWith(WHITEOUT_PREFIX)) hidden.push(node);
    return node;
  };
  const remove = (node: TreeNode): void => {
    node.parent!.children!.delete(node.name);
    lastDirPath = undefined;
    if (!gone.has(node.path)) gone.set(node.path, node);
    events.removed?.(node);
    dropLostNames(node.inode);
  };
  const addDir = (parent: TreeNode, name: string): TreeNode => {
    const old = parent.children!.get(name);
    if (old?.children) return old;
    if (old) remove(old);
    return attach(createNode(parent, name, layer));
  };
  const inLayer = (node: TreeNode): boolean => node.layer === layer;
  const making = {
    sees: inLayer,
    missing: (parent: TreeNode, name: string): TreeNode => {
      if (!parent.children!.get(name)?.children) count.implied();
      return addDir(parent, name);
    },
    pass: (dir: TreeNode): void => {
      dir.layer = layer;
    },
  };
  const parentOf = (path: string): TreeNode => {
    const slash = path.lastIndexOf('/');
    const dirPath = slash < 0 ? '' : path.slice(0, slash);
    if (dirPath === lastDirPath) return lastDir;
    root.layer = layer;
    lastDir = walkPath(root, dirPath, making)!;
    lastDirPath = dirPath;
    return lastDir;
  };

  /** Takes away what lower layers have below a directory that this layer has too. */
  const hideBelow = (dir: TreeNode): void => {
    if (dir.clearedBy === layer) return;
    dir.clearedBy = layer;
    for (const child of dir.children!.values()) {
      if (child.layer < layer) remove(child);
      else if (child.children) hideLower(child);
    }
  };
  const hideLower = (dir: TreeNode): void => {
    if (dir.metaLayer < layer) dir.meta = undefined;
    hideBelow(dir);
  };
  const whiteout = (parent: TreeNode, name: string): void => {
    events.hidden?.(parent.path === '' ? name : `${parent.path}/${name}`, 'path');
    const node = parent.children!.get(name);
    if (!node) return;
    if (node.layer < layer) remove(node);
    else if (node.children) hideLower(node);
  };

  const lookup = (path: string, sees: (node: TreeNode) => boolean): TreeNode | undefined => {
    const parts = checkedParts(path);
    const name = parts.pop()!;
    const dir = walkPath(root, parts.join('/'), { sees, missing: () => undefined });
    const node = dir?.children?.get(name);
    return node && sees(node) ? node : undefined;
  };
  const lookupGone = (path: string): TreeNode | undefined => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      let node = gone.get(path.slice(0, end));
      if (!node) continue;
      for (const part of path.slice(end + 1).split('/')) if (part !== '') node = node?.children?.get(part);
      if (node) return node;
    }
    return undefined;
  };
  const linkTarget = (entry: LayerEntry): TreeNode | undefined => {
    const node =
      lookup(entry.linkname, inLayer) ?? lookup(entry.linkname, () => true) ?? lookupGone(entry.linkname);
    if (node?.inode || (node === undefined && events.partial)) return node;
    const why = node ? 'is a directory' : 'no layer has';
    throw new AppError(
      'CORRUPT',
      `the hard link "${entry.path}" points to "${entry.linkname}", which ${why}`,
    );
  };

  const placeDir = (entry: LayerEntry): undefined => {
    const slash = entry.path.lastIndexOf('/');
    const name = checkedName(entry.path, slash);
    const parent = parentOf(entry.path);
    const node = addDir(parent, name);
    node.layer = layer;
    node.meta = entry;
    node.metaLayer = layer;
  };
  const placeLeaf = (entry: LayerEntry, name: string): TreeNode | undefined => {
    const parent = parentOf(entry.path);
    const target = entry.type === 'hardlink' ? linkTarget(entry) : undefined;
    const old = parent.children!.get(name);
    if (old) {
      if (target && target === old) return undefined;
      remove(old);
    }
    if (entry.type === 'file') files += 1;
    const inode: Inode = target?.inode ?? { entry, layer, names: NO_NAMES, kept: undefined };
    const node = attach(createNode(parent, name, layer, inode));
    addName(inode, node);
    return node;
  };

  return {
    root,
    fileCount: () => files,
    beginLayer: () => {
      layer += 1;
      count.beginLayer();
      lastDirPath = undefined;
      return layer;
    },
    apply: (entry) => {
      count.entry(entry);
      // Docker and containerd ignore what a layer says about the root itself, also that it is something else.
      if (entry.path === '') return undefined;
      if (entry.type === 'dir') return placeDir(entry);
      const name = checkedName(entry.path, entry.path.lastIndexOf('/'));
      if (!name.startsWith(WHITEOUT_PREFIX)) return placeLeaf(entry, name);
      if (name === OPAQUE_NAME) {
        const dir = parentOf(entry.path);
        events.hidden?.(dir.path, 'below');
        return void hideBelow(dir);
      }
      if (name.startsWith(`${WHITEOUT_PREFIX}${WHITEOUT_PREFIX}`)) return placeLeaf(entry, name);
      const hiddenName = name.slice(WHITEOUT_PREFIX.length);
      if (hiddenName === '' || hiddenName === '.' || hiddenName === '..') {
        throw new AppError('CORRUPT', `the path "${entry.path}" is not one that a layer may hold`);
      }
      return void whiteout(parentOf(entry.path), hiddenName);
    },
    endLayer: () => {
      for (const node of hidden.reverse()) if (node.parent!.children!.get(node.name) === node) remove(node);
      hidden = [];
      gone.clear();
      lastDirPath = undefined;
    },
  };
}

function checkedName(path: string, slash: number): string {
  return checkedParts(slash === 0 ? path : path.slice(slash + 1))[0]!;
}

/** Names at the end that are not on disk any more, so that the last one is, if any but the first is. */
function dropLostNames(inode: Inode | undefined): void {
  while (inode && inode.names.length > 1 && inode.names.at(-1)!.diskMode === NOT_ON_DISK) inode.names.pop();
}
