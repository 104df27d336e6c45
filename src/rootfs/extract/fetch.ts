import { AppError } from '../../core/error.ts';
import type { LayerBlob, TocFrame } from '../../layer/types.ts';
import { inLayer } from './errors.ts';

/** A frame to be fetched. */
export interface FrameJob {
  readonly blob: LayerBlob;
  readonly frame: TocFrame;
}

/** Neighbouring frames of a layer, which are fetched with one ranged read. */
export interface FrameGroup<T extends FrameJob> {
  readonly blob: LayerBlob;
  readonly offset: number;
  length: number;
  readonly jobs: T[];
}

/** A group whose bytes have arrived, not verified. */
export interface FetchedGroup<T extends FrameJob> {
  readonly group: FrameGroup<T>;
  /** Where in the shared memory they lie. */
  readonly offset: number;
  /** Lets the memory be filled anew. */
  release(): void;
}

const FIRST_RANGE = 1 << 20;
const MAX_RANGE = 4 << 20;
/** Bytes for groups that are being read or used, unless groups are so large that two of them take more. */
const MEMORY = 20 << 20;
const MOST_SLOTS = 8;

/** Groups frames, in order; the first groups are small, so that work can begin early. */
export function groupFrames<T extends FrameJob>(jobs: readonly T[]): FrameGroup<T>[] {
  const groups: FrameGroup<T>[] = [];
  let limit = FIRST_RANGE;
  for (const job of jobs) {
    const { blob, frame } = job;
    const last = groups.at(-1);
    const adjacent = last?.blob === blob && last.offset + last.length === frame.offset;
    if (last && adjacent && last.length + frame.length <= limit) {
      last.length += frame.length;
      last.jobs.push(job);
    } else {
      groups.push({ blob, offset: frame.offset, length: frame.length, jobs: [job] });
      limit = Math.min(MAX_RANGE, limit * 2);
    }
  }
  return groups;
}

/** Memory that threads share, with room for as many groups as may be under way. */
export interface FetchMemory {
  readonly buffer: SharedArrayBuffer;
  /** Bytes of a slot, and how many there are. */
  readonly size: number;
  readonly slots: number;
}

/** Takes all memory that fetching these groups needs; it does not depend on their number. */
export function createFetchMemory(groups: readonly FrameGroup<FrameJob>[]): FetchMemory {
  const size = groups.reduce((max, { length }) => Math.max(max, length), 0);
  const fitting = Math.floor(MEMORY / Math.max(1, size));
  const slots = Math.min(groups.length, MOST_SLOTS, Math.max(2, fitting));
  return { buffer: new SharedArrayBuffer(slots * size), size, slots };
}

/**
 * Yields groups in order once their bytes have arrived, until `signal` says that nobody wants them any more. As many reads
 * are under way as there is memory that nobody uses.
 * @throws AppError what the store throws and CORRUPT for a layer that is too short, naming the layer
 */
export async function* fetchGroups<T extends FrameJob>(
  groups: readonly FrameGroup<T>[],
  { buffer, size, slots }: FetchMemory,
  signal: AbortSignal,
): AsyncGenerator<FetchedGroup<T>> {
  const free = Array.from({ length: slots }, (_, index) => index * size);
  const reads: Promise<number>[] = [];
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  let released = Promise.withResolvers<void>();
  const pump = (): void => {
    while (reads.length < groups.length && free.length > 0) {
      const read = readInto(groups[reads.length]!, buffer, free.pop()!);
      read.catch(() => {});
      reads.push(read);
    }
  };
  pump();
  for (const [index, group] of groups.entries()) {
    while (reads.length <= index && !signal.aborted) await Promise.race([released.promise, aborted]);
    const offset = signal.aborted ? undefined : await Promise.race([reads[index]!, aborted]);
    if (offset === undefined || signal.aborted) return;
    const release = (): void => {
      free.push(offset);
      pump();
      released.resolve();
      released = Promise.withResolvers<void>();
    };
    yield { group, offset, release };
  }
}

async function readInto(
  { blob, offset, length }: FrameGroup<FrameJob>,
  buffer: SharedArrayBuffer,
  slot: number,
): Promise<number> {
  try {
    const target = Buffer.from(buffer, slot, length);
    const bytes = await blob.readRange(offset, length, target);
    if (bytes.length !== length) throw new AppError('CORRUPT', 'the layer ends too early');
    if (bytes.buffer !== buffer) bytes.copy(target);
    return slot;
  } catch (error) {
    throw inLayer(blob, error);
  }
}
