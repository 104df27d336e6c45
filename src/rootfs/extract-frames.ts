import type { LayerBlob, TocFrame } from '../layer/types.ts';
import { createFrameDecoder, type DecodedFrame } from './extract-decoder.ts';
import { inLayer } from './extract-errors.ts';

/** A frame to be fetched and decoded; `layer` is the index of `blob`. */
export interface FrameJob {
  readonly layer: number;
  readonly blob: LayerBlob;
  readonly frame: TocFrame;
}

export interface FrameDeps {
  /** Called with the milliseconds that the consumer waited for bytes to arrive. */
  readonly onWait: (ms: number) => void;
}

interface Group {
  readonly blob: LayerBlob;
  readonly offset: number;
  length: number;
  bytes: Promise<Buffer> | undefined;
}

const MAX_RANGE = 4 << 20;
const FIRST_RANGE = 1 << 20;
/** Ranges under way or waiting to be decoded, and frames decoded or being decoded ahead of the consumer. */
const FETCH_AHEAD = 4;
const DECODE_AHEAD = 4;

/**
 * Yields the decoded frames in order. Neighbours are fetched with one ranged read of up to 8 MiB; reads and decoding run
 * ahead by a fixed number, so memory does not depend on the number of frames.
 */
export async function* decodeFrames(
  jobs: readonly FrameJob[],
  deps: FrameDeps,
): AsyncGenerator<{ readonly job: FrameJob; readonly bytes: Buffer }> {
  if (jobs.length === 0) return;
  const { groups, groupOf } = groupFrames(jobs);
  const decoder = createFrameDecoder(
    jobs.map(({ frame }) => frame),
    DECODE_AHEAD,
  );
  const fetched = (index: number): Promise<Buffer> => {
    for (let i = index; i < Math.min(groups.length, index + FETCH_AHEAD); i += 1) {
      const group = groups[i]!;
      group.bytes ??= quiet(group.blob.readRange(group.offset, group.length));
    }
    return groups[index]!.bytes!;
  };
  const decode = async (index: number, arrived: { yet: boolean }): Promise<DecodedFrame> => {
    const { frame, blob } = jobs[index]!;
    const group = groups[groupOf[index]!]!;
    try {
      const bytes = await fetched(groupOf[index]!);
      arrived.yet = true;
      const from = frame.offset - group.offset;
      return await decoder.decode(bytes.subarray(from, from + frame.length), frame);
    } catch (error) {
      throw inLayer(blob, error);
    }
  };

  const queue: { decoded: Promise<DecodedFrame>; arrived: { yet: boolean } }[] = [];
  let next = 0;
  try {
    for (const [index, job] of jobs.entries()) {
      for (; next < Math.min(jobs.length, index + DECODE_AHEAD); next += 1) {
        const arrived = { yet: false };
        queue.push({ decoded: quiet(decode(next, arrived)), arrived });
      }
      const { decoded, arrived } = queue.shift()!;
      if (!arrived.yet) {
        const start = performance.now();
        await fetched(groupOf[index]!).catch(() => {});
        deps.onWait(performance.now() - start);
      }
      const frame = await decoded;
      yield { job, bytes: frame.bytes };
      frame.release();
      if (groupOf[index + 1] !== groupOf[index]) groups[groupOf[index]!]!.bytes = undefined;
    }
  } finally {
    decoder.close();
  }
}

function groupFrames(jobs: readonly FrameJob[]): { groups: Group[]; groupOf: number[] } {
  const groups: Group[] = [];
  const groupOf: number[] = [];
  let limit = FIRST_RANGE;
  for (const { blob, frame } of jobs) {
    const last = groups.at(-1);
    if (
      last &&
      last.blob === blob &&
      last.offset + last.length === frame.offset &&
      last.length + frame.length <= limit
    ) {
      last.length += frame.length;
    } else {
      groups.push({ blob, offset: frame.offset, length: frame.length, bytes: undefined });
      limit = Math.min(MAX_RANGE, limit * 2);
    }
    groupOf.push(groups.length - 1);
  }
  return { groups, groupOf };
}

/** A promise whose rejection does not count as unhandled while nobody waits for it yet. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
