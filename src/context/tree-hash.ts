import { createListDigest } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import { asIs, compileKeyTable, type KeyFields, type KeyTable, out } from '../core/key-table.ts';
import { comparePaths } from '../core/path-bytes.ts';
import { broughtBy, together } from './brought.ts';
import type { ChangeMode } from './chmod.ts';
import { MANY_FILES } from './small-files.ts';
import type { Brought, CopyItem, CopyItems, SourceTree, TreeNode, TreeNodeType } from './types.ts';

export interface TreeHashOptions {
  /** Whether owners count: they do for files that keep them (COPY --from). */
  readonly ownership: boolean;
  /** What becomes of modes (--chmod); they are kept when left out. */
  readonly chmod?: ChangeMode;
  /** Where the files go, as the instruction has it: one that need not be a directory gets the sources one after the other. */
  readonly destination?: string;
  /** Files of the tree that the same step brings besides; these are added to them. */
  readonly counted?: Brought[];
  /** Where the files are. */
  readonly tree: Pick<SourceTree, 'contentDigest' | 'hashAhead' | 'checkRoom'>;
}

/** What the tables cannot tell by an item alone. */
interface ItemContext extends Pick<TreeHashOptions, 'ownership'> {
  readonly chmod: ChangeMode | undefined;
  /** Of a file. */
  readonly content: Digest | undefined;
  /** The number of the file that it is one of several names of. */
  readonly group: number | undefined;
  /** Whether it counts which source an item is from. */
  readonly inOrder: boolean;
}

type NodeTable = KeyTable<TreeNode, ItemContext>;

const NONE = out('there is none');
const TIME = out('times never count');
const STAYS = out('the place that a directory is copied to, or mounted at, has its own');

const NODE = {
  path: out('the target says where it goes'),
  type: asIs(),
  mode: {
    in: (mode: number, { type }: TreeNode, { chmod }: ItemContext) =>
      chmod ? chmod(mode, type === 'dir') : mode,
  },
  uid: { in: (uid: number, _: TreeNode, { ownership }: ItemContext) => (ownership ? uid : undefined) },
  gid: { in: (gid: number, _: TreeNode, { ownership }: ItemContext) => (ownership ? gid : undefined) },
  xattrs: {
    in: (xattrs: TreeNode['xattrs']) => (xattrs ? Object.fromEntries(xattrs) : undefined),
  },
  hardlink: { in: (_: string | undefined, __: TreeNode, { group }: ItemContext) => group },
  mtime: TIME,
  mtimeNsec: TIME,
} as const;
const NO_CONTENT = { size: NONE, version: NONE } as const;
const NO_DEVICE = { devmajor: NONE, devminor: NONE } as const;
const DEVICE = { ...NODE, ...NO_CONTENT, linkname: NONE, devmajor: asIs(), devminor: asIs() } as const;

const NODES: { readonly [T in TreeNodeType]: NodeTable } = {
  file: {
    ...NODE,
    ...NO_DEVICE,
    size: asIs(),
    version: { as: 'content', in: (_version, _node, { content }) => content },
    linkname: NONE,
  },
  dir: { ...NODE, ...NO_CONTENT, ...NO_DEVICE, linkname: NONE, hardlink: NONE },
  symlink: { ...NODE, ...NO_CONTENT, ...NO_DEVICE, linkname: asIs(), mode: NONE, xattrs: NONE },
  char: DEVICE,
  block: DEVICE,
  fifo: { ...NODE, ...NO_CONTENT, ...NO_DEVICE, linkname: NONE },
};

/** A directory whose content goes to the destination, and that stays behind itself. */
const TOP: NodeTable = { ...NODES.dir, mode: STAYS, uid: STAYS, gid: STAYS, xattrs: STAYS };

const ITEM = {
  target: asIs(),
  source: { in: (source: number, _: CopyItem, { inOrder }: ItemContext) => (inOrder ? source : undefined) },
} as const;

/** Tables of the items of a tree, by the type of their node; `top` is that of a directory that is named itself. */
export const ITEM_TABLES: {
  readonly [T in TreeNodeType | 'top']: KeyTable<CopyItem, ItemContext>;
} = {
  file: { ...ITEM, node: { spread: NODES.file } },
  dir: { ...ITEM, node: { spread: NODES.dir } },
  symlink: { ...ITEM, node: { spread: NODES.symlink } },
  char: { ...ITEM, node: { spread: NODES.char } },
  block: { ...ITEM, node: { spread: NODES.block } },
  fifo: { ...ITEM, node: { spread: NODES.fifo } },
  top: { ...ITEM, node: { spread: TOP } },
};

/**
 * The digest of everything about files that a copy of them keeps, as ITEM_TABLES say. Times and the order on disk do not
 * count. Whoever changes what counts must change the number of the memo in answer-memo.ts too.
 * @throws AppError DISK_FULL before any of them is read, see SourceTree.checkRoom
 */
export async function treeHash(items: CopyItems, options: TreeHashOptions): Promise<Digest> {
  const { sorted, linked, several, bytes } = survey(items);
  const { ownership, chmod, tree, counted = [] } = options;
  counted.push(broughtBy(items, bytes));
  tree.checkRoom?.(together(counted));
  const ordered = sorted ? items : sortByTarget(items);
  const groups = linked ? linkGroups(ordered) : NO_GROUPS;
  const inOrder = options.destination?.endsWith('/') === false && several;
  const fieldsOf = compileTables();
  const list = createListDigest(items.length);
  if (items.length >= MANY_FILES) await tree.hashAhead?.(nodesOf(ordered));
  for (const item of ordered) {
    const { node, target } = item;
    const content = node.type === 'file' ? await tree.contentDigest(node) : undefined;
    const group = node.hardlink === undefined ? undefined : groups.get(node.hardlink);
    const kind = target === '' && node.type === 'dir' ? 'top' : node.type;
    list.add(fieldsOf[kind](item, { ownership, chmod, inOrder, content, group }));
  }
  return list.digest();
}

function* nodesOf(items: Iterable<CopyItem>): Generator<TreeNode> {
  for (const { node } of items) yield node;
}

/** What decides how items are hashed; a list that is made as it is read is read once for it. */
function survey(items: CopyItems): {
  readonly sorted: boolean;
  /** Whether any is a name of a file with several. */
  readonly linked: boolean;
  /** Whether they come from more than one source. */
  readonly several: boolean;
  /** Their sizes together. */
  readonly bytes: number;
} {
  let [sorted, linked, several] = [true, false, false];
  let bytes = 0;
  let before: string | undefined;
  for (const { node, target, source } of items) {
    if (before !== undefined && comparePaths(before, target) > 0) sorted = false;
    if (node.hardlink !== undefined) linked = true;
    if (source > 0) several = true;
    bytes += node.size;
    before = target;
  }
  return { sorted, linked, several, bytes };
}

/** Those of one target stay in their order. */
function sortByTarget(items: CopyItems): Iterable<CopyItem> {
  const targets = Array.from(items, ({ target }, index) => ({ target, index }));
  targets.sort((a, b) => comparePaths(a.target, b.target) || a.index - b.index);
  const order = Uint32Array.from(targets, ({ index }) => index);
  return {
    *[Symbol.iterator]() {
      for (const index of order) yield items.at(index)!;
    },
  };
}

function compileTables() {
  const compiled = Object.entries(ITEM_TABLES).map(
    ([kind, table]) => [kind, compileKeyTable(table)] as const,
  );
  return Object.fromEntries(compiled) as Record<
    keyof typeof ITEM_TABLES,
    (item: CopyItem, context: ItemContext) => KeyFields
  >;
}

const NO_GROUPS: ReadonlyMap<string, number> = new Map();

/** Numbers for the files that have several names among these items; names elsewhere do not count. */
function linkGroups(items: Iterable<CopyItem>): ReadonlyMap<string, number> {
  const once = new Set<string>();
  const several = new Map<string, number>();
  for (const { node } of items) {
    const { hardlink } = node;
    if (hardlink === undefined) continue;
    if (once.has(hardlink) && !several.has(hardlink)) several.set(hardlink, several.size);
    once.add(hardlink);
  }
  return several;
}
