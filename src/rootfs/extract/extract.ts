import { mapLimit } from '../../core/concurrency.ts';
import { readToc } from '../../layer/toc.ts';
import type { LayerBlob, Toc } from '../../layer/types.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { ExtractRequest, ExtractResult } from '../types.ts';
import { uniteUpper } from './ahead.ts';
import { writeContents } from './contents.ts';
import { inLayer, withinLayer } from './errors.ts';
import { createExtractProgress } from './progress.ts';
import { extractStreams } from './stream.ts';
import { NOT_ON_DISK, type Node, type Tree } from './tree.ts';
import { createTreeWriter, type TreeWriter } from './tree-writer.ts';
import { applyAll, createUnion, type Union } from './union.ts';
import { type Nodes, planUnion, type UnionPlan } from './union-plan.ts';
import { nodeAt, walkTree } from './union-tree.ts';

export interface ExtractDeps {
  readonly sys: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
  /** Compressed bytes of streamed layers from which on the others are written beside them; for tests. */
  readonly overlapFrom?: number;
  /** Decoded bytes of frames up to which no threads are started for them; for tests. */
  readonly inlineBytes?: number;
}

const TOCS_AT_ONCE = 8;
/** Below it, a stream takes less time than it takes to find out what it must not touch. */
const OVERLAP_FROM = 4 << 20;

/**
 * Writes the union of layers into an empty directory. Layers with a table of contents are united first and each path
 * that is left is written once; up to the last layer without one, layers are streamed in order, and meanwhile the files of
 * those above are written that nothing below can touch. Nothing is fsynced. After an error the target is incomplete, and
 * the caller's to delete.
 * @throws AppError CORRUPT when a layer does not match its digest or holds what no layer may hold, naming layer and store;
 * PERMISSION, DISK_FULL, and what the store throws
 */
export async function extractLayers(request: ExtractRequest, deps: ExtractDeps): Promise<ExtractResult> {
  const { layers, emit } = request;
  const { inlineBytes } = deps;
  const progress = createExtractProgress(layers, emit);
  const streamed = layers.findLastIndex((blob) => blob.toc === undefined) + 1;
  const streams = layers.slice(0, streamed);
  const tocs = readTocs(layers.slice(streamed));
  const streamedBytes = streams.reduce((sum, { size }) => sum + size, 0);
  const overlap = streamedBytes >= (deps.overlapFrom ?? OVERLAP_FROM);
  const upper = overlap && streamed > 0 ? uniteUpper(indexedLayers(layers, await tocs)) : undefined;
  const doomed: Node[] = [];
  let streaming = true;
  const union = createUnion({
    removed: (node) => {
      if (streaming) writer.remove(node);
      else if (union.tree.diskMode(node) !== NOT_ON_DISK) doomed.push(node);
    },
  });
  const { tree } = union;
  const writing = {
    sys: deps.sys,
    emit,
    ...(upper ? { shared: { has: upper.hasDir, made: new Map<string, number>() } } : {}),
  };
  const writerOf = (of: Tree): TreeWriter =>
    createTreeWriter(of, request.target, request.privileged, writing);
  const writer = writerOf(tree);

  await sideBySide(request.signal, [
    (signal) =>
      extractStreams(streams, {
        target: request.target,
        writer,
        union,
        hides: upper ? (node) => upper.hides(tree.path(node)) : () => false,
        advance: progress.advance,
        seen: request.seen,
        digests: request.digests,
        signal,
      }),
    async (signal) => {
      if (upper)
        await writeContents(
          upper.contents,
          'all',
          { ...request, signal, inlineBytes },
          writerOf(upper.tree),
          progress,
        );
    },
  ]);
  streaming = false;
  const filesOnDisk = union.fileCount();
  const indexed = indexedLayers(layers, await tocs);
  for (const { blob, toc } of indexed) applyToc(union, toc, blob, request.seen);
  upper?.settle(union, streamed);
  if (indexed.length > 0) request.digests?.keep((path) => isStreamed(tree, path, streamed));

  const plan = planUnion(tree, layers.length);
  clear(doomed, writer);
  const contents = indexed.map(({ blob, toc }, index) => ({
    blob,
    toc,
    nodes: plan.contents[streamed + index]!,
  }));
  const left = upper ? contents.filter(({ nodes }) => nodes.length > 0) : contents;
  await writeContents(left, upper ? 'needed' : 'all', { ...request, inlineBytes }, writer, progress);
  writeRest(plan, layers, writer);
  progress.finish();

  let files = 0;
  let bytes = 0;
  let fromIndexed = 0;
  for (const node of plan.leaves) {
    if (tree.type(node) !== 'file' || tree.firstName(tree.inode(node)) !== node) continue;
    files += 1;
    bytes += tree.size(node);
    if (tree.inodeLayer(node) >= streamed) fromIndexed += 1;
  }
  const skipped = union.fileCount() - filesOnDisk - fromIndexed;
  return { files, bytes, skipped, xattrs: xattrsOf(tree, plan) };
}

/** Whether a path of the union is a file of one of the first layers, which were streamed. */
function isStreamed(tree: Tree, path: string, streamed: number): boolean {
  const node = nodeAt(tree, path);
  return node !== undefined && tree.type(node) === 'file' && tree.inodeLayer(node) < streamed;
}

function indexedLayers(layers: readonly LayerBlob[], tocs: readonly Toc[]): { blob: LayerBlob; toc: Toc }[] {
  const blobs = layers.slice(layers.length - tocs.length);
  return blobs.map((blob, index) => ({ blob, toc: tocs[index]! }));
}

/** Does several things at once; when one fails, the others are told to stop and waited for. */
async function sideBySide(
  given: AbortSignal | undefined,
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(given ? [given] : [])]);
  let failure: { readonly error: unknown } | undefined;
  const guarded = works.map(async (work) => {
    try {
      await work(signal);
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
    }
  });
  await Promise.all(guarded);
  if (failure) throw failure.error;
}

function xattrsOf(tree: Tree, plan: UnionPlan): ExtractResult['xattrs'] {
  const found = new Map<string, ReadonlyMap<string, Buffer>>();
  for (const nodes of [plan.dirs, plan.leaves]) {
    for (const node of nodes) {
      const all = (tree.isDir(node) ? tree.meta(node) : tree.entry(node))?.xattrs;
      if (!all) continue;
      const kept = [...all].filter(([name]) => name === 'security.capability' || name.startsWith('user.'));
      if (kept.length > 0) found.set(tree.path(node), new Map(kept));
    }
  }
  return found;
}

function readTocs(layers: readonly LayerBlob[]): Promise<Toc[]> {
  const tocs = mapLimit(layers, TOCS_AT_ONCE, async (blob) => {
    try {
      return await readToc({ ...blob, toc: blob.toc! });
    } catch (error) {
      throw inLayer(blob, error);
    }
  });
  tocs.catch(() => {});
  return tocs;
}

function applyToc(union: Union, toc: Toc, blob: LayerBlob, seen: ExtractRequest['seen']): void {
  try {
    applyAll(union, toc.entries);
    const each = seen?.(blob.digest);
    if (each) for (let index = 0; index < toc.entries.count; index += 1) each(toc.entries.get(index));
  } catch (error) {
    throw inLayer(blob, error);
  }
}

/** Deletes what later layers replace, except content that a hard link elsewhere still needs. */
function clear(doomed: readonly Node[], writer: TreeWriter): void {
  const { tree } = writer;
  const onDisk = (node: Node): boolean => tree.diskMode(node) !== NOT_ON_DISK;
  for (const top of doomed) {
    walkTree(tree, top, (node) => {
      if (tree.isDir(node) || !onDisk(node)) return;
      const inode = tree.inode(node);
      if (tree.kept(inode) !== undefined) return;
      if (tree.findLastName(inode, onDisk) === undefined) writer.keep(node);
    });
    writer.remove(top);
  }
}

/** Everything without content, further names of files, and at last the directories from the bottom up. */
function writeRest(plan: UnionPlan, layers: readonly LayerBlob[], writer: TreeWriter): void {
  const { tree } = writer;
  for (const node of plan.leaves) {
    if (tree.diskMode(node) !== NOT_ON_DISK) continue;
    withinLayer(layers[tree.inodeLayer(node)], () => {
      if (!writer.link(node)) writer.leaf(node);
    });
  }
  writer.dropKept();
  const each = (dirs: Nodes, work: (dir: Node) => void): void => {
    for (const dir of dirs)
      withinLayer(layers[Math.max(tree.layer(dir), tree.metaLayer(dir), 0)], () => work(dir));
  };
  each(plan.dirs, writer.dir);
  each(plan.dirs.toReversed(), writer.finishDir);
}
