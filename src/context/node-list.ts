import { createPackedRows, createPackedTexts } from '../core/packed.ts';
import { FACT, type PathFacts } from '../sys/path-facts.ts';
import type { Nodes, TreeNode } from './types.ts';

/** What a node has besides its path and its facts. */
export interface NodeExtras {
  readonly linkname?: string;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** Files of a tree in the order of their paths, packed: a node is made when it is asked for. */
export interface NodeList extends Nodes {
  /** Adds a node behind the others and returns a number for `drop`. */
  add(path: string, facts: PathFacts, extras: NodeExtras | undefined): number;
  /** Takes one out again. */
  drop(row: number): void;
}

/** Facts up to the time of birth, in the order of FACT; then the directory and one more, the name, the extras and one more. */
const ROW = { facts: 0, directory: FACT.birth, name: FACT.birth + 1, extras: FACT.birth + 2 } as const;
const ROW_WORDS = FACT.birth + 3;
const DROPPED = 0xffffffff;

/** An empty list: some 80 bytes for each node and its name, and its directory where the node before has another one. */
export function createNodeList(
  make: (path: string, facts: PathFacts, extras: NodeExtras | undefined) => TreeNode,
): NodeList {
  const rows = createPackedRows(ROW_WORDS);
  const texts = createPackedTexts();
  const extras: NodeExtras[] = [];
  let dropped = 0;
  /** The rows that are left, where some were dropped. */
  let left: Uint32Array | undefined;
  let directory: string | undefined;
  let directoryAt = 0;
  /** The directory that was read last, which is most often the next one too. */
  let [readAt, readDirectory] = [0, ''];

  const isDropped = (row: number): boolean => rows.get(row, ROW.extras) === DROPPED;
  const rowAt = (index: number): number => {
    if (dropped === 0) return index;
    if (!left) {
      left = new Uint32Array(rows.count - dropped);
      for (let row = 0, to = 0; row < rows.count; row += 1) if (!isDropped(row)) left[to++] = row;
    }
    return left[index]!;
  };
  const pathOf = (row: number): string => {
    const name = texts.get(rows.get(row, ROW.name));
    const at = rows.get(row, ROW.directory);
    if (at === 0) return name;
    if (at !== readAt) {
      readAt = at;
      readDirectory = texts.get(at - 1);
    }
    return `${readDirectory}/${name}`;
  };
  const nodeAt = (index: number): TreeNode => {
    const row = rowAt(index);
    const more = rows.get(row, ROW.extras);
    const facts = new Uint32Array(FACT.birth);
    rows.read(row, facts);
    return make(pathOf(row), facts, more === 0 ? undefined : extras[more - 1]);
  };

  return {
    get length() {
      return rows.count - dropped;
    },
    at: (index) => (index >= 0 && index < rows.count - dropped ? nodeAt(index) : undefined),
    *[Symbol.iterator]() {
      for (let index = 0; index < rows.count - dropped; index += 1) yield nodeAt(index);
    },
    add: (path, facts, more) => {
      const row = rows.add();
      const slash = path.lastIndexOf('/');
      const above = slash < 0 ? undefined : path.slice(0, slash);
      if (above !== directory) {
        directory = above;
        directoryAt = above === undefined ? 0 : texts.add(above) + 1;
      }
      for (let word = 0; word < FACT.birth; word += 1) rows.set(row, word, facts[word]!);
      rows.set(row, ROW.directory, directoryAt);
      rows.set(row, ROW.name, texts.add(path.slice(slash + 1)));
      rows.set(row, ROW.extras, more ? extras.push(more) : 0);
      left = undefined;
      return row;
    },
    drop: (row) => {
      if (isDropped(row)) return;
      rows.set(row, ROW.extras, DROPPED);
      dropped += 1;
      left = undefined;
    },
  };
}
