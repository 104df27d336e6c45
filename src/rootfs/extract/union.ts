import { AppError } from '../../core/error.ts';
import type { TocEntries } from '../../layer/types.ts';
import { OPAQUE_NAME, WHITEOUT_PREFIX } from '../../layer/whiteout.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { createEntryCount } from './entry-count.ts';
import { createTree, NOT_ON_DISK, type Node, type Tree } from './tree.ts';
import { checkedParts, walkPath } from './union-tree.ts';

/** What happens to the tree while entries are applied, for a caller that mirrors it on disk. */
export interface UnionEvents {
  /** A node and all below it left the tree. */
  readonly removed?: (node: Node) => void;
  /** A whiteout of a path, or an opaque directory: whatever lower layers have there, or below, is not seen. */
  readonly hidden?: (path: string, what: 'path' | 'below') => void;
  /** Layers below are not known: a hard link to what no layer has may be one to theirs, and stays as it is. */
  readonly partial?: boolean;
}

/** The union of layers, in memory. */
export interface Union {
  readonly tree: Tree;
  /** Files that entries brought so far, whether or not they are still there. */
  fileCount(): number;
  /** Begins the next layer. @param entries all that will be applied, where they are held anyway: they are not packed again */
  beginLayer(entries?: TocEntries): void;
  /**
   * Applies the next entry of the layer. Returns the node of a file, symlink, device or hard link that is now in the tree;
   * undefined for directories and whiteouts.
   * @throws AppError CORRUPT for an entry that no layer may hold
   */
  apply(entry: LayerEntry): Node | undefined;
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
  const tree = createTree();
  const { root } = tree;
  let layer = -1;
  /** The place of the entry that is applied in the layer's list. */
  let place: number | undefined;
  let files = 0;
  /** Names that are bookkeeping of aufs; hard links may refer to them until their layer ends. */
  let hidden: Node[] = [];
  /** What this layer took away, the first at each path; hard links may still refer to it. */
  const gone = new Map<string, Node>();
  const count = createEntryCount();
  let lastDirPath: string | undefined;
  let lastDir = root;

  const remove = (node: Node): void => {
    const path = tree.path(node);
    tree.detach(node);
    lastDirPath = undefined;
    if (!gone.has(path)) gone.set(path, node);
    events.removed?.(node);
    if (!tree.isDir(node)) dropLostNames(tree, node);
  };
  const addDir = (parent: Node, name: string): Node => {
    const old = tree.child(parent, name);
    if (old !== undefined && tree.isDir(old)) return old;
    if (old !== undefined) remove(old);
    const node = tree.addDir(parent, name, layer);
    if (name.startsWith(WHITEOUT_PREFIX)) hidden.push(node);
    return node;
  };
  const inLayer = (node: Node): boolean => tree.layer(node) === layer;
  const making = {
    sees: inLayer,
    missing: (parent: Node, name: string): Node => {
      const old = tree.child(parent, name);
      if (old === undefined || !tree.isDir(old)) count.implied();
      return addDir(parent, name);
    },
    pass: (dir: Node): void => tree.setLayer(dir, layer),
  };
  const parentOf = (path: string): Node => {
    const slash = path.lastIndexOf('/');
    const dirPath = slash < 0 ? '' : path.slice(0, slash);
    if (dirPath === lastDirPath) return lastDir;
    tree.setLayer(root, layer);
    lastDir = walkPath(tree, dirPath, making)!;
    lastDirPath = dirPath;
    return lastDir;
  };

  /** Takes away what lower layers have below a directory that this layer has too. */
  const hideBelow = (dir: Node): void => {
    if (tree.clearedBy(dir) === layer) return;
    tree.setClearedBy(dir, layer);
    tree.forEachChild(dir, (child) => {
      if (tree.layer(child) < layer) remove(child);
      else if (tree.isDir(child)) hideLower(child);
    });
  };
  const hideLower = (dir: Node): void => {
    if (tree.metaLayer(dir) < layer) tree.setMeta(dir, undefined, tree.metaLayer(dir));
    hideBelow(dir);
  };
  const whiteout = (parent: Node, name: string): void => {
    if (events.hidden) events.hidden(parent === root ? name : `${tree.path(parent)}/${name}`, 'path');
    const node = tree.child(parent, name);
    if (node === undefined) return;
    if (tree.layer(node) < layer) remove(node);
    else if (tree.isDir(node)) hideLower(node);
  };

  const lookup = (path: string, sees: (node: Node) => boolean): Node | undefined => {
    const parts = checkedParts(path);
    const name = parts.pop()!;
    const dir = walkPath(tree, parts.join('/'), { sees, missing: () => undefined });
    const node = dir === undefined ? undefined : tree.child(dir, name);
    return node !== undefined && sees(node) ? node : undefined;
  };
  /** Below it an opaque marker hides nothing; Docker lists what is below it and finds nothing. */
  const isFileOfLayer = (path: string): boolean => {
    const node = path === '' ? undefined : lookup(path, inLayer);
    return node !== undefined && !tree.isDir(node) && tree.entry(node).type !== 'symlink';
  };
  const lookupGone = (path: string): Node | undefined => {
    if (gone.size === 0) return undefined;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      let node = gone.get(path.slice(0, end));
      if (node === undefined) continue;
      for (const part of path.slice(end + 1).split('/'))
        if (part !== '') node = node === undefined || !tree.isDir(node) ? undefined : tree.child(node, part);
      if (node !== undefined) return node;
    }
    return undefined;
  };
  const linkTarget = (entry: LayerEntry): Node | undefined => {
    const node =
      lookup(entry.linkname, inLayer) ?? lookup(entry.linkname, () => true) ?? lookupGone(entry.linkname);
    if (node === undefined ? events.partial : !tree.isDir(node)) return node;
    const why = node === undefined ? 'no layer has' : 'is a directory';
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
    tree.setLayer(node, layer);
    tree.setMeta(node, entry, layer, place);
  };
  const placeLeaf = (entry: LayerEntry, name: string): Node | undefined => {
    const parent = parentOf(entry.path);
    const target = entry.type === 'hardlink' ? linkTarget(entry) : undefined;
    const old = tree.child(parent, name);
    if (old !== undefined) {
      if (target === old) return undefined;
      remove(old);
    }
    if (entry.type === 'file') files += 1;
    const inode = target === undefined ? tree.addInode(entry, layer, place) : tree.inode(target);
    const node = tree.addLeaf(parent, name, layer, inode);
    if (name.startsWith(WHITEOUT_PREFIX)) hidden.push(node);
    return node;
  };

  return {
    tree,
    fileCount: () => files,
    beginLayer: (entries) => {
      layer += 1;
      place = entries && -1;
      if (entries) tree.setList(layer, entries);
      count.beginLayer();
      lastDirPath = undefined;
    },
    apply: (entry) => {
      count.entry(entry);
      if (place !== undefined) place += 1;
      // Docker and containerd ignore what a layer says about the root itself, also that it is something else.
      if (entry.path === '') return undefined;
      if (entry.type === 'dir') return placeDir(entry);
      const name = checkedName(entry.path, entry.path.lastIndexOf('/'));
      if (!name.startsWith(WHITEOUT_PREFIX)) return placeLeaf(entry, name);
      if (name === OPAQUE_NAME) {
        if (isFileOfLayer(entry.path.slice(0, -OPAQUE_NAME.length - 1))) return undefined;
        const dir = parentOf(entry.path);
        events.hidden?.(tree.path(dir), 'below');
        return void hideBelow(dir);
      }
      if (name.startsWith(`${WHITEOUT_PREFIX}${WHITEOUT_PREFIX}`)) return placeLeaf(entry, name);
      const hiddenName = name.slice(WHITEOUT_PREFIX.length);
      // COPY of a file of such a name makes them, and Docker builds it; there is nothing that they could hide.
      if (hiddenName === '' || hiddenName === '.' || hiddenName === '..') return undefined;
      return void whiteout(parentOf(entry.path), hiddenName);
    },
    endLayer: () => {
      for (const node of hidden.reverse()) if (!tree.isDetached(node)) remove(node);
      hidden = [];
      gone.clear();
      lastDirPath = undefined;
    },
  };
}

function checkedName(path: string, slash: number): string {
  return checkedParts(slash === 0 ? path : path.slice(slash + 1))[0]!;
}

/** Applies a whole layer with a table of contents. @throws AppError CORRUPT as `apply` */
export function applyAll(union: Union, entries: TocEntries, each: (leaf: Node) => void = () => {}): void {
  union.beginLayer(entries);
  for (let index = 0; index < entries.count; index += 1) {
    const leaf = union.apply(entries.get(index));
    if (leaf !== undefined) each(leaf);
  }
  union.endLayer();
}

/** Names at the end that are not on disk any more, so that the last one is, if any but the first is. */
function dropLostNames(tree: Tree, leaf: Node): void {
  const inode = tree.inode(leaf);
  for (;;) {
    const last = tree.lastName(inode);
    if (last === undefined || last === tree.firstName(inode) || tree.diskMode(last) !== NOT_ON_DISK) return;
    tree.dropLastName(inode);
  }
}
