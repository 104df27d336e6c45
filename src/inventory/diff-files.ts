import { createHash } from 'node:crypto';
import { readLayer } from '../layer/read-layer.ts';
import type { LayerBlob } from '../layer/types.ts';
import { inLayer } from '../rootfs/extract/errors.ts';
import type { Node, Tree } from '../rootfs/extract/tree.ts';
import { createUnion, type Union } from '../rootfs/extract/union.ts';
import { walkTree } from '../rootfs/extract/union-tree.ts';
import type { TarItem } from '../tar/reader.ts';
import type { LayerEntry } from '../tar/types.ts';
import type { FileAspect, FileChange } from './types.ts';

/** Bytes of holes that are still read as the zeros that they are; a header may claim terabytes. */
const MOST_HOLES = 4 * 2 ** 30;

/** Marks of the contents of files, by the rows of their inodes. */
type Contents = Map<number, string>;

interface Side {
  readonly union: Union;
  readonly contents: Contents;
}

/**
 * The files that two images do not have in common, in the order of their paths. Layers are read whole, so that what is said
 * of a file is what its bytes are: a table of contents could say something else. Times alone make no change, since every
 * build gives new ones. Of a file with more than 4 GiB of holes only its size and that of its holes are compared.
 * @param first layers of an image, lowest first
 * @throws AppError CORRUPT for a layer that is damaged or holds what no layer may hold, and what the store throws
 */
export async function diffFiles(
  first: readonly LayerBlob[],
  second: readonly LayerBlob[],
  signal: AbortSignal,
): Promise<readonly FileChange[]> {
  const differs = first.findIndex(({ digest }, index) => digest !== second[index]?.digest);
  const common = differs < 0 ? first.length : differs;
  if (common === first.length && common === second.length) return [];
  const [before, after] = [newSide(), newSide()];
  for (const blob of first.slice(0, common)) await readInto(blob, [before, after], signal);
  for (const blob of first.slice(common)) await readInto(blob, [before], signal);
  for (const blob of second.slice(common)) await readInto(blob, [after], signal);
  return compare(before, after);
}

const newSide = (): Side => ({ union: createUnion(), contents: new Map() });

async function readInto(blob: LayerBlob, sides: readonly Side[], signal: AbortSignal): Promise<void> {
  try {
    for (const { union } of sides) union.beginLayer();
    const stream = await blob.open();
    const stop = (): void => void stream.destroy(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const item of readLayer(stream, blob.mediaType, blob.digest, { brief: true })) {
        signal.throwIfAborted();
        const mark = item.entry.type === 'file' ? await markOf(item) : undefined;
        for (const { union, contents } of sides) {
          const node = union.apply(item.entry);
          if (node !== undefined && mark !== undefined) contents.set(union.tree.inode(node), mark);
        }
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stream.destroy();
    }
    for (const { union } of sides) union.endLayer();
  } catch (error) {
    signal.throwIfAborted();
    throw inLayer(blob, error);
  }
}

/** What is the same for the same content. */
async function markOf({ entry, content, holes }: TarItem): Promise<string> {
  if (holes > MOST_HOLES) return `${entry.size} bytes, ${holes} of them holes`;
  const hash = createHash('sha256');
  for await (const part of content) hash.update(part);
  return hash.digest('base64');
}

function compare(before: Side, after: Side): readonly FileChange[] {
  const [old, young] = [before.union.tree, after.union.tree];
  const changes: FileChange[] = [];
  const whole = (tree: Tree, top: Node, change: 'added' | 'removed'): void =>
    walkTree(tree, top, (node) => {
      const size = sizeOf(tree, node);
      const [was, is] = change === 'added' ? [null, size] : [size, null];
      changes.push({
        path: tree.path(node),
        change,
        type: typeOf(tree, node),
        before: was,
        after: is,
        aspects: [],
      });
    });
  const pairs: [Node, Node][] = [[old.root, young.root]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [was, is] = pair;
    old.forEachChild(was, (child) => {
      if (young.child(is, old.name(child)) === undefined) whole(old, child, 'removed');
    });
    young.forEachChild(is, (child) => {
      const other = old.child(was, young.name(child));
      if (other === undefined) {
        whole(young, child, 'added');
        return;
      }
      const aspects = aspectsOf({ ...before, node: other }, { ...after, node: child });
      if (aspects.length > 0)
        changes.push({
          path: young.path(child),
          change: 'changed',
          type: typeOf(young, child),
          before: sizeOf(old, other),
          after: sizeOf(young, child),
          aspects,
        });
      const [wasDir, isDir] = [old.isDir(other), young.isDir(child)];
      if (wasDir && isDir) pairs.push([other, child]);
      else if (wasDir) old.forEachChild(other, (below) => whole(old, below, 'removed'));
      else if (isDir) young.forEachChild(child, (below) => whole(young, below, 'added'));
    });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

const typeOf = (tree: Tree, node: Node): LayerEntry['type'] => (tree.isDir(node) ? 'dir' : tree.type(node));
const sizeOf = (tree: Tree, node: Node): number => (tree.isDir(node) ? 0 : tree.entry(node).size);

interface Place extends Side {
  readonly node: Node;
}

/** What two things at one path do not have in common. */
function aspectsOf(before: Place, after: Place): readonly FileAspect[] {
  const [old, young] = [before.union.tree, after.union.tree];
  const type = typeOf(young, after.node);
  if (typeOf(old, before.node) !== type) return ['type'];
  const isDir = type === 'dir';
  const was = isDir ? old.meta(before.node) : old.entry(before.node);
  const is = isDir ? young.meta(after.node) : young.entry(after.node);
  // A directory that no layer describes has whatever attributes a runtime gives it.
  if (was === undefined || is === undefined) return [];
  const differs: Readonly<Record<Exclude<FileAspect, 'type'>, boolean>> = {
    content: type === 'file' && markAt(before) !== markAt(after),
    target: was.linkname !== is.linkname && type === 'symlink',
    mode: was.mode !== is.mode && type !== 'symlink',
    owner: was.uid !== is.uid || was.gid !== is.gid,
    device: was.devmajor !== is.devmajor || was.devminor !== is.devminor,
    attributes: attributesText(was) !== attributesText(is),
  };
  return (Object.keys(differs) as (keyof typeof differs)[]).filter((aspect) => differs[aspect]);
}

const markAt = ({ union, contents, node }: Place): string | undefined => contents.get(union.tree.inode(node));

function attributesText({ xattrs }: Pick<LayerEntry, 'xattrs'>): string {
  return [...(xattrs ?? [])]
    .map(([name, value]) => `${name}=${value.toString('base64')}`)
    .sort()
    .join('\n');
}
