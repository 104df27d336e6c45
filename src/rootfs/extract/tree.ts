import { createKeyedHash } from '../../core/keyed-hash.ts';
import { createPackedRows, createPackedTexts } from '../../core/packed.ts';
import { createEntryStore, type EntryRow, type Facts } from '../../layer/entry-store.ts';
import type { TocEntries } from '../../layer/types.ts';
import type { LayerEntry } from '../../tar/types.ts';

/** A path that a tree has or had. */
export type Node = number & { readonly is?: 'node' };

export const NOT_ON_DISK = -1;

/**
 * The paths of a union of layers, as rows of numbers: there may be millions. A path is a directory, or a name of an inode:
 * the thing that one or more names point to, made by one entry of one layer and never shared across entries. What is
 * detached stays what it was, with all that is below it, but is not found any more.
 */
export interface Tree {
  readonly root: Node;
  /** Names the list that a layer's entries are in, for those that are put into the tree with their place in it. */
  setList(layer: number, entries: TocEntries): void;
  /** Adds a directory; nothing of that name may be there. */
  addDir(parent: Node, name: string, layer: number): Node;
  /** Adds a name of an inode, as its last one; nothing of that name may be there. */
  addLeaf(parent: Node, name: string, layer: number, inode: EntryRow): Node;
  /** What is in a directory under a name. */
  child(directory: Node, name: string): Node | undefined;
  /** All that is in a directory, in the order in which it came; what is visited may be detached meanwhile. */
  forEachChild(directory: Node, visit: (child: Node) => void): void;
  detach(node: Node): void;
  /** Whether something else is under its name, or nothing. */
  isDetached(node: Node): boolean;

  name(node: Node): string;
  /** Path string relative to the root; '' for the root. */
  path(node: Node): string;
  parent(node: Node): Node | undefined;
  isDir(node: Node): boolean;
  /** Index of the topmost layer that has this path, if only as a parent of something. */
  layer(node: Node): number;
  setLayer(node: Node, layer: number): void;
  /** Permission bits on disk, or NOT_ON_DISK. */
  diskMode(node: Node): number;
  setDiskMode(node: Node, mode: number): void;

  /** The entry that gives a directory its owner, mode and times; undefined when no layer has one. */
  meta(directory: Node): Facts | undefined;
  /** @param place where the layer's list has the entry, if it has one: then it need not be packed */
  setMeta(directory: Node, entry: LayerEntry | undefined, layer: number, place?: number): void;
  metaLayer(directory: Node): number;
  /** The layer that hid all that lower layers have below a directory, if one did. */
  clearedBy(directory: Node): number;
  setClearedBy(directory: Node, layer: number): void;

  /** @param place as for setMeta */
  addInode(entry: LayerEntry, layer: number, place?: number): EntryRow;
  inode(leaf: Node): EntryRow;
  /** What the entry of a leaf's inode says, but for its path. */
  entry(leaf: Node): Facts;
  /** The size of a file. */
  size(file: Node): number;
  /** Where the list of `inodeLayer` has this entry; undefined for a layer without one. */
  place(leaf: Node): number | undefined;
  /** Where the layer's tar has the content; 0 where there is none, and for a layer without a list. */
  contentOffset(leaf: Node): number;
  /** Type of the leaf's inode. */
  type(leaf: Node): LayerEntry['type'];
  /** Index of the layer that holds the content. */
  inodeLayer(leaf: Node): number;
  /** The first name that an inode was given; undefined when it has none left. */
  firstName(inode: EntryRow): Node | undefined;
  lastName(inode: EntryRow): Node | undefined;
  /** The last of an inode's names, from the last one on, for which `is` holds. */
  findLastName(inode: EntryRow, is: (node: Node) => boolean): Node | undefined;
  /** Forgets the last of several names. */
  dropLastName(inode: EntryRow): void;
  /** Forgets all names of an inode, so that they can be given anew with `addName`. */
  clearNames(inode: EntryRow): void;
  addName(leaf: Node): void;
  /** Number of the place aside where an inode exists already under none of its names. */
  kept(inode: EntryRow): number | undefined;
  setKept(inode: EntryRow, place: number): void;
}

const NODE_WORDS = 10;
/**
 * All but `layer` and `mode` are numbers of rows and one more, so that 0 is none; layers and modes are one more, too. A name
 * of 0 is that of the entry, in the list that has it.
 */
const NODE = {
  parent: 0,
  name: 1,
  hash: 2,
  /** The next node whose hash falls together with that of this one. */
  chain: 3,
  next: 4,
  before: 5,
  row: 6,
  /** Of a leaf: the name that its inode had before. */
  nameBefore: 7,
  layer: 8,
  /** Permission bits on disk and one more; DIR and DETACHED above them. */
  mode: 9,
} as const;
const MODE_BITS = 0x1fff;
const DIR = 0x2000;
const DETACHED = 0x4000;
/** What a row of the entries has for the tree: of an inode, and of a directory. */
const OWN = { first: 0, last: 1, layer: 2, kept: 3, clearedBy: 3 } as const;
const OWN_WORDS = 4;

const FIRST_HEADS = 1024;

/** An empty tree; its root is a directory. */
export function createTree(): Tree {
  const nodes = createPackedRows(NODE_WORDS);
  const names = createPackedTexts();
  const entries = createEntryStore(OWN_WORDS, true);
  const lists: (TocEntries | undefined)[] = [];
  const hash = createKeyedHash();
  let heads = new Uint32Array(FIRST_HEADS);
  let pathParent: Node | undefined;
  let parentPath = '';

  const get = (node: Node, word: number): number => nodes.get(node, word);
  const one = (node: Node, word: number): Node | undefined => {
    const value = nodes.get(node, word);
    return value === 0 ? undefined : value - 1;
  };
  const rowOf = (node: Node): EntryRow => nodes.get(node, NODE.row) - 1;
  const own = (node: Node, word: number): number => entries.own(rowOf(node), word);

  const listOf = (row: EntryRow): TocEntries => lists[entries.own(row, OWN.layer) - 1]!;
  const factsOf = (row: EntryRow): Facts | undefined => {
    const place = entries.place(row);
    return place === undefined ? entries.get(row) : (entries.get(row) ?? listOf(row).facts(place));
  };

  const rehash = (): void => {
    heads = new Uint32Array(heads.length * 2);
    for (let node = 1; node < nodes.count; node += 1) {
      // The one that is just being attached has no place yet, and its chain would lose all others of the first slot.
      if (get(node, NODE.parent) === 0 || (get(node, NODE.mode) & DETACHED) !== 0) continue;
      const slot = get(node, NODE.hash) & (heads.length - 1);
      nodes.set(node, NODE.chain, heads[slot]!);
      heads[slot] = node + 1;
    }
  };
  const nameOf = (node: Node): string => {
    const at = get(node, NODE.name);
    const row = rowOf(node);
    return at === 0 ? listOf(row).name(entries.place(row)!) : names.get(at - 1);
  };
  const isName = (node: Node, name: string): boolean => {
    const at = get(node, NODE.name);
    const row = rowOf(node);
    return at === 0 ? listOf(row).isName(entries.place(row)!, name) : names.is(at - 1, name);
  };
  /** @param isListed whether the entry of the row stays, and has this name */
  const create = (name: string, layer: number, row: EntryRow, bits: number, isListed = false): Node => {
    const node = nodes.add();
    if (!isListed) nodes.set(node, NODE.name, names.add(name) + 1);
    nodes.set(node, NODE.row, row + 1);
    nodes.set(node, NODE.layer, layer + 1);
    nodes.set(node, NODE.mode, bits);
    return node;
  };
  const attach = (parent: Node, node: Node, name: string): void => {
    if (nodes.count > heads.length) rehash();
    const key = hash(parent, name);
    const slot = key & (heads.length - 1);
    nodes.set(node, NODE.parent, parent + 1);
    nodes.set(node, NODE.hash, key);
    nodes.set(node, NODE.chain, heads[slot]!);
    heads[slot] = node + 1;
    const last = own(parent, OWN.last);
    nodes.set(node, NODE.before, last);
    if (last === 0) entries.setOwn(rowOf(parent), OWN.first, node + 1);
    else nodes.set(last - 1, NODE.next, node + 1);
    entries.setOwn(rowOf(parent), OWN.last, node + 1);
  };
  const addName = (leaf: Node): void => {
    const inode = rowOf(leaf);
    const last = entries.own(inode, OWN.last);
    nodes.set(leaf, NODE.nameBefore, last);
    if (last === 0) entries.setOwn(inode, OWN.first, leaf + 1);
    entries.setOwn(inode, OWN.last, leaf + 1);
  };
  const unchain = (node: Node): void => {
    const slot = get(node, NODE.hash) & (heads.length - 1);
    const after = get(node, NODE.chain);
    if (heads[slot] === node + 1) {
      heads[slot] = after;
      return;
    }
    let at = heads[slot]! - 1;
    while (get(at, NODE.chain) !== node + 1) at = get(at, NODE.chain) - 1;
    nodes.set(at, NODE.chain, after);
  };
  const path = (node: Node): string => {
    const parent = one(node, NODE.parent);
    if (parent === undefined) return '';
    const name = nameOf(node);
    if (get(parent, NODE.parent) === 0) return name;
    if (parent !== pathParent) {
      const found = path(parent);
      pathParent = parent;
      parentPath = found;
    }
    return `${parentPath}/${name}`;
  };
  const ownRow = (row: EntryRow, word: number): Node | undefined => {
    const value = entries.own(row, word);
    return value === 0 ? undefined : value - 1;
  };
  const root = create('', -1, entries.addNone(), DIR);

  return {
    root,
    setList: (layer, list) => {
      lists[layer] = list;
    },
    addDir: (parent, name, layer) => {
      const node = create(name, layer, entries.addNone(), DIR);
      attach(parent, node, name);
      return node;
    },
    addLeaf: (parent, name, layer, inode) => {
      const place = entries.place(inode);
      const isListed = place !== undefined && listOf(inode).isName(place, name);
      const node = create(name, layer, inode, 0, isListed);
      attach(parent, node, name);
      addName(node);
      return node;
    },
    child: (directory, name) => {
      const key = hash(directory, name);
      for (let at = heads[key & (heads.length - 1)]!; at !== 0; at = get(at - 1, NODE.chain)) {
        const node = at - 1;
        if (get(node, NODE.hash) !== key || get(node, NODE.parent) !== directory + 1) continue;
        if (isName(node, name)) return node;
      }
      return undefined;
    },
    forEachChild: (directory, visit) => {
      let at = own(directory, OWN.first);
      while (at !== 0) {
        const child = at - 1;
        at = get(child, NODE.next);
        visit(child);
      }
    },
    detach: (node) => {
      const parent = get(node, NODE.parent) - 1;
      unchain(node);
      const [before, next] = [get(node, NODE.before), get(node, NODE.next)];
      if (before === 0) entries.setOwn(rowOf(parent), OWN.first, next);
      else nodes.set(before - 1, NODE.next, next);
      if (next === 0) entries.setOwn(rowOf(parent), OWN.last, before);
      else nodes.set(next - 1, NODE.before, before);
      nodes.set(node, NODE.mode, get(node, NODE.mode) | DETACHED);
    },
    isDetached: (node) => (get(node, NODE.mode) & DETACHED) !== 0,

    name: nameOf,
    path,
    parent: (node) => one(node, NODE.parent),
    isDir: (node) => (get(node, NODE.mode) & DIR) !== 0,
    layer: (node) => get(node, NODE.layer) - 1,
    setLayer: (node, layer) => nodes.set(node, NODE.layer, layer + 1),
    diskMode: (node) => (get(node, NODE.mode) & MODE_BITS) - 1,
    setDiskMode: (node, mode) => nodes.set(node, NODE.mode, (get(node, NODE.mode) & ~MODE_BITS) | (mode + 1)),

    meta: (directory) => factsOf(rowOf(directory)),
    setMeta: (directory, entry, layer, place) => {
      const row = rowOf(directory);
      entries.put(row, entry, place);
      entries.setOwn(row, OWN.layer, layer + 1);
    },
    metaLayer: (directory) => own(directory, OWN.layer) - 1,
    clearedBy: (directory) => own(directory, OWN.clearedBy) - 1,
    setClearedBy: (directory, layer) => entries.setOwn(rowOf(directory), OWN.clearedBy, layer + 1),

    addInode: (entry, layer, place) => {
      const row = entries.addNone();
      entries.put(row, entry, place);
      entries.setOwn(row, OWN.layer, layer + 1);
      return row;
    },
    inode: rowOf,
    entry: (leaf) => factsOf(rowOf(leaf))!,
    size: (file) => {
      const row = rowOf(file);
      const place = entries.place(row);
      return place === undefined ? entries.size(row) : listOf(row).size(place);
    },
    place: (leaf) => entries.place(rowOf(leaf)),
    contentOffset: (leaf) => {
      const row = rowOf(leaf);
      const place = entries.place(row);
      return place === undefined ? 0 : listOf(row).contentOffset(place);
    },
    type: (leaf) => entries.type(rowOf(leaf)),
    inodeLayer: (leaf) => own(leaf, OWN.layer) - 1,
    firstName: (inode) => ownRow(inode, OWN.first),
    lastName: (inode) => ownRow(inode, OWN.last),
    findLastName: (inode, is) => {
      let at = ownRow(inode, OWN.last);
      while (at !== undefined && !is(at)) at = one(at, NODE.nameBefore);
      return at;
    },
    dropLastName: (inode) => {
      const last = entries.own(inode, OWN.last) - 1;
      entries.setOwn(inode, OWN.last, get(last, NODE.nameBefore));
    },
    clearNames: (inode) => {
      entries.setOwn(inode, OWN.first, 0);
      entries.setOwn(inode, OWN.last, 0);
    },
    addName,
    kept: (inode) => ownRow(inode, OWN.kept),
    setKept: (inode, place) => entries.setOwn(inode, OWN.kept, place + 1),
  };
}
