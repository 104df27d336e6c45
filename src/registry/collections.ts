import { toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { formatBytes } from '../core/units.ts';
import { type CollectRequest, type CollectResult, collectGarbage } from './gc.ts';

/** A server that was just started is left alone for this long, as many may come back to it. */
const FIRST_MS = 5 * 60_000;
/** What a timer can wait for. */
const MOST_MS = 2 ** 31 - 1;

export interface CollectionSchedule extends Omit<CollectRequest, 'emit' | 'dryRun'> {
  /** From the end of one collection to the next; a first one comes sooner. */
  readonly everyMs: number;
}

/**
 * Collects garbage again and again, one collection at a time. What fails is a warning, and tried again the next time.
 * @param onEnd told of each, without a result when it failed
 * @returns what ends it; a collection under way goes on
 */
export function startCollections(
  { everyMs, ...request }: CollectionSchedule,
  emit: Emit,
  onEnd: (result: CollectResult | undefined) => void = () => {},
): () => void {
  let timer: NodeJS.Timeout;
  let ended = false;
  const next = (ms: number): void => {
    if (ended) return;
    timer = setTimeout(() => void collect(), Math.min(ms, MOST_MS));
    timer.unref();
  };
  const collect = async (): Promise<void> => {
    try {
      const result = await collectGarbage({ ...request, emit });
      const { tags, manifests, blobs, freedBytes, keptBytes } = result;
      emit({
        type: 'message',
        level: 'info',
        text: `removed ${tags} tags, ${manifests} manifests and ${blobs} blobs (${formatBytes(freedBytes)}); ${formatBytes(keptBytes)} are in use`,
      });
      onEnd(result);
    } catch (thrown) {
      const { code, message } = toAppError(thrown, 'CACHE_DIR', 'the garbage collection failed');
      emit({ type: 'warning', code, text: message });
      onEnd(undefined);
    }
    next(everyMs);
  };
  next(Math.min(FIRST_MS, everyMs));
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
