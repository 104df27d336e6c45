import type { CopyItem, CopyItems, Nodes, TreeNode } from './types.ts';

/** Items up to which a list is copied rather than kept. */
const SHORT = 16;

/** What becomes of the nodes of a list. */
interface Placed {
  readonly source: number;
  readonly target: (path: string) => string;
  /** Which of them are copied; all when left out. */
  readonly keeps?: (target: string, node: TreeNode) => boolean;
}

/** Nodes as items to copy, which are made when they are asked for. */
export function placeNodes(nodes: Nodes, { source, target, keeps }: Placed): CopyItems {
  const item = (node: TreeNode): CopyItem => placeNode(node, target(node.path), source);
  if (!keeps) {
    return {
      length: nodes.length,
      at: (index) => {
        const node = nodes.at(index);
        return node && item(node);
      },
      *[Symbol.iterator]() {
        for (const node of nodes) yield item(node);
      },
    };
  }
  const kept = new Uint32Array(nodes.length);
  let [length, at] = [0, 0];
  for (const node of nodes) {
    if (keeps(target(node.path), node)) kept[length++] = at;
    at += 1;
  }
  return {
    length,
    at: (index) => (index >= 0 && index < length ? item(nodes.at(kept[index]!)!) : undefined),
    *[Symbol.iterator]() {
      for (let index = 0; index < length; index += 1) yield item(nodes.at(kept[index]!)!);
    },
  };
}

/** One node as an item. Names of one file stay linked only within what one source or match gives. */
export function placeNode(node: TreeNode, target: string, source: number): CopyItem {
  const linked = node.hardlink === undefined ? node : { ...node, hardlink: `${source} ${node.hardlink}` };
  return { node: linked, target, source };
}

/** Lists one behind the other; short ones are copied into one of their own. */
export function joinItems(lists: Iterable<CopyItems>): CopyItems {
  const parts: CopyItems[] = [];
  let short: CopyItem[] | undefined;
  for (const list of lists) {
    if (list.length > SHORT) {
      parts.push(list);
      short = undefined;
      continue;
    }
    if (!short) {
      short = [];
      parts.push(short);
    }
    short.push(...list);
  }
  if (parts.length === 1) return parts[0]!;
  const starts: number[] = [];
  let length = 0;
  for (const part of parts) {
    starts.push(length);
    length += part.length;
  }
  return {
    length,
    at: (index) => {
      const part = starts.findLastIndex((start) => start <= index);
      return part < 0 ? undefined : parts[part]!.at(index - starts[part]!);
    },
    *[Symbol.iterator]() {
      for (const part of parts) yield* part;
    },
  };
}
