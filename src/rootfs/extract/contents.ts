import type { LayerBlob, Toc } from '../../layer/types.ts';
import type { ExtractRequest } from '../types.ts';
import { withinLayer } from './errors.ts';
import { createFetchMemory, fetchGroups, groupFrames } from './fetch.ts';
import { createOrder, type FrameOrder, NOT_WRITTEN, WHOLE } from './frame-order.ts';
import type { ExtractProgress } from './progress.ts';
import type { Node, Tree } from './tree.ts';
import type { TreeWriter } from './tree-writer.ts';
import { type FramePlan, framesFor, type Nodes } from './union-plan.ts';
import { createFrameWorkers } from './workers.ts';

/** A layer with the files that are to be taken from it, by their place in the tar. */
export interface LayerContents {
  readonly blob: LayerBlob;
  readonly toc: Toc;
  readonly nodes: Nodes;
}

/** A frame, which may hold files that are to be written. */
interface ContentJob extends FramePlan, LayerContents {}

/** As long as starting threads takes: this many frames, or frames of so many bytes in all, decoded. */
const INLINE_FRAMES = 2;
const INLINE_BYTES = 2 << 20;

/**
 * Fetches, verifies and decodes the frames that hold any of the files, and writes these.
 * @param frames `all`: the other frames too, so that all of each layer is compared with its table
 * @throws AppError CORRUPT, what the store throws
 */
export async function writeContents(
  layers: readonly LayerContents[],
  frames: 'all' | 'needed',
  request: ExtractRequest & { readonly inlineBytes?: number | undefined },
  writer: TreeWriter,
  progress: ExtractProgress,
): Promise<void> {
  const { tree } = writer;
  const jobs = layers.flatMap(({ blob, toc, nodes }): ContentJob[] => {
    const plans = framesFor(tree, nodes, toc.frames, frames === 'all');
    progress.advance(blob.size - plans.reduce((sum, { frame }) => sum + frame.length, 0));
    return plans.map((plan) => ({ ...plan, blob, toc, nodes }));
  });
  if (jobs.length === 0) return;
  const decodedBytes = jobs.reduce((sum, { frame }) => sum + frame.tarLength, 0);
  const parts = createParts(writer);
  const groups = groupFrames(jobs);
  const memory = createFetchMemory(groups);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(request.signal ? [request.signal] : [])]);
  const workers = createFrameWorkers({
    target: { target: request.target, privileged: request.privileged },
    memory: memory.buffer,
    threads: jobs.length > INLINE_FRAMES && decodedBytes > (request.inlineBytes ?? INLINE_BYTES),
    onFailure: () => stop.abort(),
  });
  const start = performance.now();
  try {
    let asked = start;
    for await (const { group, offset, release } of fetchGroups(groups, memory, signal)) {
      const idle = workers.idleSince();
      if (idle !== undefined) progress.waited(performance.now() - Math.max(asked, idle));
      let left = group.jobs.length;
      for (const job of group.jobs) {
        workers.send({
          blob: job.blob,
          frame: job.frame,
          order: () => orderFor(job, writer, parts),
          offset: offset + job.frame.offset - group.offset,
          onWritten: (spent) => {
            parts.written(job);
            progress.advance(job.frame.length);
            progress.spent(spent);
            left -= 1;
            if (left === 0) release();
          },
        });
      }
      asked = performance.now();
    }
    request.signal?.throwIfAborted();
    await workers.finish();
    progress.framesDone(performance.now() - start);
  } finally {
    await workers.close();
    parts.discard();
  }
  for (const { blob, nodes } of layers)
    withinLayer(blob, () => {
      for (const node of nodes) if (isUnfinished(tree, node)) writer.refine(node);
    });
}

/** Files of several frames. Their parts are written in any order, so somebody has to open them first and close them last. */
interface Parts {
  /** The descriptor of a file that is written in parts. */
  open(node: Node): number;
  /** Counts what a frame holds of such files, and finishes those that are complete. */
  written(job: ContentJob): void;
  /** Closes what is not complete, after an error. */
  discard(): void;
}

function createParts(writer: TreeWriter): Parts {
  const files = new Map<Node, { readonly fd: number; left: number }>();
  return {
    open: (node) => {
      const file = files.get(node) ?? { fd: writer.open(node), left: writer.tree.size(node) };
      files.set(node, file);
      return file.fd;
    },
    written: ({ frame, nodes, first, end }) => {
      for (const node of new Set(first < end ? [nodes[first]!, nodes[end - 1]!] : [])) {
        const file = files.get(node);
        if (!file) continue;
        const start = writer.tree.contentOffset(node);
        const from = Math.max(start, frame.tarOffset);
        const to = Math.min(start + writer.tree.size(node), frame.tarOffset + frame.tarLength);
        file.left -= to - from;
        if (file.left > 0) continue;
        files.delete(node);
        writer.close(file.fd, node);
      }
    },
    discard: () => {
      for (const { fd } of files.values()) writer.discard(fd);
    },
  };
}

function orderFor(job: ContentJob, writer: TreeWriter, parts: Parts): FrameOrder {
  const { frame, toc, nodes, index } = job;
  const { tree } = writer;
  const frameEnd = frame.tarOffset + frame.tarLength;
  const [from, to] = [toc.firstEntries[index]!, toc.firstEntries[index + 1]!];
  let next = job.first;
  const order = createOrder(frame, to - from, index === toc.frames.length - 1);
  const before = from > 0 ? toc.entries.get(from - 1) : undefined;
  if (before && before.contentOffset + before.size > frame.tarOffset) {
    const wanted = next < job.end && tree.place(nodes[next]!) === from - 1;
    const fd = wanted ? parts.open(nodes[next++]!) : NOT_WRITTEN;
    order.begun(before.contentOffset - frame.tarOffset, before.size, fd);
  }
  for (let i = from; i < to; i += 1) {
    const entry = toc.entries.get(i);
    const node = next < job.end && tree.place(nodes[next]!) === i ? nodes[next++]! : undefined;
    const whole = node !== undefined && entry.contentOffset + entry.size <= frameEnd;
    if (whole) writer.expect(node);
    if (node === undefined) order.entry(entry, NOT_WRITTEN, '');
    else order.entry(entry, whole ? WHOLE : parts.open(node), tree.path(node));
  }
  return order.finish();
}

/** Whether a frame writer leaves something to do. */
function isUnfinished(tree: Tree, node: Node): boolean {
  const { xattrs, mtime, mtimeNsec } = tree.entry(node);
  return xattrs !== undefined || mtimeNsec !== 0 || mtime < 0;
}
