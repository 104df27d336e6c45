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
import { createTreeWriter, type TreeWriter } from './tree-writer.ts';
import { createUnion, type Union } from './union.ts';
import { planUnion, type UnionPlan } from './union-plan.ts';
import { NOT_ON_DISK, type TreeNode, walkTree } from './union-tree.ts';

export interface ExtractDeps {
  readonly sys: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
  /** Compressed bytes of streamed layers from which on the others are written beside them; for tests. */
  readonly overlapFrom?: number;
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
  const progress = createExtractProgress(layers, emit);
  const streamed = layers.findLastIndex((blob) => blob.toc === undefined) + 1;
  const streams = layers.slice(0, streamed);
  const tocs = readTocs(layers.slice(streamed));
  const streamedBytes = streams.reduce((sum, { size }) => sum + size, 0);
  const overlap = streamedBytes >= (deps.overlapFrom ?? OVERLAP_FROM);
  const upper = overlap && streamed > 0 ? uniteUpper(indexedLayers(layers, await tocs)) : undefined;
  const writer = createTreeWriter(request.target, request.privileged, {
    sys: deps.sys,
    emit,
    ...(upper ? { keepsDir: upper.hasDir } : {}),
  });
  const doomed: TreeNode[] = [];
  let streaming = true;
  const union = createUnion({
    removed: (node) => {
      if (streaming) writer.remove(node);
      else if (node.diskMode !== NOT_ON_DISK) doomed.push(node);
    },
  });

  await sideBySide(request.signal, [
    (signal) =>
      extractStreams(streams, {
        target: request.target,
        writer,
        union,
        hides: upper ? upper.hides : () => false,
        advance: progress.advance,
        signal,
      }),
    (signal) => writeContents(upper?.contents ?? [], 'all', { ...request, signal }, writer, progress),
  ]);
  streaming = false;
  const filesOnDisk = union.fileCount();
  const indexed = indexedLayers(layers, await tocs);
  for (const { blob, toc } of indexed) applyToc(union, toc, blob);
  upper?.settle(union);

  const plan = planUnion(union.root, layers.length);
  clear(doomed, writer);
  const contents = indexed.map(({ blob, toc }, index) => ({
    blob,
    toc,
    nodes: plan.contents[streamed + index]!,
  }));
  const left = upper ? contents.filter(({ nodes }) => nodes.length > 0) : contents;
  await writeContents(left, upper ? 'needed' : 'all', request, writer, progress);
  writeRest(plan, layers, writer);
  progress.finish();

  const inodes = new Set(plan.leaves.map(({ inode }) => inode!).filter(({ entry }) => entry.type === 'file'));
  let bytes = 0;
  let fromIndexed = 0;
  for (const { entry, layer } of inodes) {
    bytes += entry.size;
    if (layer >= streamed) fromIndexed += 1;
  }
  const skipped = union.fileCount() - filesOnDisk - fromIndexed;
  return { files: inodes.size, bytes, skipped, xattrs: xattrsOf(plan) };
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

function xattrsOf(plan: UnionPlan): ExtractResult['xattrs'] {
  const found = new Map<string, ReadonlyMap<string, Buffer>>();
  for (const node of [...plan.dirs, ...plan.leaves]) {
    const all = (node.inode?.entry ?? node.meta)?.xattrs;
    if (!all) continue;
    const kept = [...all].filter(([name]) => name === 'security.capability' || name.startsWith('user.'));
    if (kept.length > 0) found.set(node.path, new Map(kept));
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

function applyToc(union: Union, toc: Toc, blob: LayerBlob): void {
  try {
    union.beginLayer();
    for (const entry of toc.entries) union.apply(entry);
    union.endLayer();
  } catch (error) {
    throw inLayer(blob, error);
  }
}

/** Deletes what later layers replace, except content that a hard link elsewhere still needs. */
function clear(doomed: readonly TreeNode[], writer: TreeWriter): void {
  for (const top of doomed) {
    walkTree(top, (node) => {
      if (!node.inode || node.diskMode === NOT_ON_DISK || node.inode.kept !== undefined) return;
      if (node.inode.names.every((name) => name.diskMode === NOT_ON_DISK)) writer.keep(node);
    });
    writer.remove(top);
  }
}

/** Everything without content, further names of files, and at last the directories from the bottom up. */
function writeRest(plan: UnionPlan, layers: readonly LayerBlob[], writer: TreeWriter): void {
  for (const node of plan.leaves) {
    if (node.diskMode !== NOT_ON_DISK) continue;
    withinLayer(layers[node.inode!.layer], () => {
      if (!writer.link(node)) writer.leaf(node);
    });
  }
  writer.dropKept();
  const each = (dirs: readonly TreeNode[], work: (dir: TreeNode) => void): void => {
    for (const dir of dirs) withinLayer(layers[Math.max(dir.layer, dir.metaLayer, 0)], () => work(dir));
  };
  each(plan.dirs, writer.dir);
  each(plan.dirs.toReversed(), writer.finishDir);
}
