import type { LayerBlob, Toc, TocEntry, TocFrame } from '../layer/types.ts';
import { inLayer } from './extract-errors.ts';
import { fetchFrames } from './extract-fetch.ts';
import { FIELDS, type FrameOrder } from './extract-frame-writer.ts';
import type { ExtractProgress } from './extract-progress.ts';
import { createFrameWorkers } from './extract-workers.ts';
import type { TreeWriter } from './tree-writer.ts';
import type { ExtractRequest } from './types.ts';
import { contentOffset, type FramePlan, framesFor } from './union-plan.ts';
import type { TreeNode } from './union-tree.ts';

/** A layer with the files that are to be taken from it, by their place in the tar. */
export interface LayerContents {
  readonly blob: LayerBlob;
  readonly toc: Toc;
  readonly nodes: readonly TreeNode[];
}

/** Fetches, verifies and decodes the frames that hold any of the files, and writes these. */
export async function writeContents(
  layers: readonly LayerContents[],
  request: ExtractRequest,
  writer: TreeWriter,
  progress: ExtractProgress,
): Promise<void> {
  const jobs = layers.flatMap(({ blob, toc, nodes }) => {
    const plans = framesOf(blob, toc, nodes);
    progress.advance(blob.size - plans.reduce((sum, { frame }) => sum + frame.length, 0));
    return plans.map((plan) => ({ ...plan, blob, nodes }));
  });
  if (jobs.length === 0) return;
  const workers = createFrameWorkers({
    target: { target: request.target, privileged: request.privileged },
    frames: jobs.length,
    maxLength: jobs.reduce((max, { frame }) => Math.max(max, frame.length), 0),
    onWritten: ({ frame }, spent) => {
      progress.advance(frame.length);
      progress.spent(spent);
    },
  });
  const start = performance.now();
  try {
    for await (const { job, bytes } of fetchFrames(jobs, progress.waited)) {
      request.signal?.throwIfAborted();
      await workers.send({ blob: job.blob, order: orderFor(job, writer), bytes });
    }
    await workers.finish();
    progress.framesDone(performance.now() - start);
  } finally {
    await workers.close();
  }
  for (const { nodes } of layers) for (const node of nodes) if (isUnfinished(node)) writer.refine(node);
}

function framesOf(blob: LayerBlob, toc: Toc, nodes: readonly TreeNode[]): FramePlan[] {
  try {
    return framesFor(nodes, toc.frames);
  } catch (error) {
    throw inLayer(blob, error);
  }
}

function orderFor(
  { frame, nodes, first, end }: FramePlan & { readonly nodes: readonly TreeNode[]; readonly frame: TocFrame },
  writer: TreeWriter,
): FrameOrder {
  const paths: string[] = [];
  const numbers = new Float64Array((end - first) * FIELDS);
  for (let index = first; index < end; index += 1) {
    const node = nodes[index]!;
    const { mode, uid, gid, size, mtime } = node.inode!.entry;
    writer.expect(node);
    paths.push(node.path);
    const at = (index - first) * FIELDS;
    numbers[at] = contentOffset(node) - frame.tarOffset;
    numbers[at + 1] = size;
    numbers[at + 2] = mode;
    numbers[at + 3] = uid;
    numbers[at + 4] = gid;
    numbers[at + 5] = Math.max(0, mtime);
  }
  return { frame, paths: paths.join('\0'), numbers };
}

/** Whether a frame writer leaves something to do. */
function isUnfinished(node: TreeNode): boolean {
  const { xattrs, mtime, mtimeNsec } = node.inode!.entry as TocEntry;
  return xattrs !== undefined || mtimeNsec !== 0 || mtime < 0;
}
