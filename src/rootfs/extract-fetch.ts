import { release } from '../core/release.ts';
import type { LayerBlob, TocFrame } from '../layer/types.ts';
import { inLayer } from './extract-errors.ts';

/** A frame to be fetched. */
export interface FrameJob {
  readonly blob: LayerBlob;
  readonly frame: TocFrame;
}

interface Group {
  readonly blob: LayerBlob;
  readonly offset: number;
  length: number;
  bytes: Promise<Buffer> | undefined;
}

const FIRST_RANGE = 1 << 20;
const MAX_RANGE = 4 << 20;
/** Ranged reads under way or waiting to be used. */
const FETCH_AHEAD = 4;

/**
 * Yields the compressed bytes of frames in order, not verified, and valid until the next ones are asked for. Neighbours are fetched with one ranged read of up to 4 MiB;
 * a fixed number of reads runs ahead, so memory does not depend on the number of frames.
 * @param onWait called with the milliseconds for which the consumer had to wait
 * @throws AppError what the store throws, naming the layer
 */
export async function* fetchFrames<T extends FrameJob>(
  jobs: readonly T[],
  onWait: (ms: number) => void,
): AsyncGenerator<{ readonly job: T; readonly bytes: Buffer }> {
  const { groups, groupOf } = groupFrames(jobs);
  for (const [index, job] of jobs.entries()) {
    const at = groupOf[index]!;
    for (const group of groups.slice(at, at + FETCH_AHEAD)) group.bytes ??= read(group);
    const group = groups[at]!;
    const start = performance.now();
    const bytes = await group.bytes!;
    onWait(performance.now() - start);
    const from = job.frame.offset - group.offset;
    yield { job, bytes: bytes.subarray(from, from + job.frame.length) };
    if (groupOf[index + 1] !== at) {
      group.bytes = undefined;
      release(bytes);
    }
  }
}

/** Reads a group; a rejection does not count as unhandled while nobody waits for it yet. */
function read({ blob, offset, length }: Group): Promise<Buffer> {
  const bytes = blob.readRange(offset, length).catch((error: unknown) => {
    throw inLayer(blob, error);
  });
  bytes.catch(() => {});
  return bytes;
}

function groupFrames(jobs: readonly FrameJob[]): { groups: Group[]; groupOf: number[] } {
  const groups: Group[] = [];
  const groupOf: number[] = [];
  let limit = FIRST_RANGE;
  for (const { blob, frame } of jobs) {
    const last = groups.at(-1);
    const adjacent = last?.blob === blob && last.offset + last.length === frame.offset;
    if (last && adjacent && last.length + frame.length <= limit) last.length += frame.length;
    else {
      groups.push({ blob, offset: frame.offset, length: frame.length, bytes: undefined });
      limit = Math.min(MAX_RANGE, limit * 2);
    }
    groupOf.push(groups.length - 1);
  }
  return { groups, groupOf };
}
