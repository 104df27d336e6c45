import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import type { Store } from '../types.ts';
import { answerOf } from './errors.ts';

/**
 * A store that reads from mirrors in order, then from the origin, and writes to the origin only. A mirror that lacks
 * something or fails is passed over; one that cannot be reached is not asked again.
 */
export function createMirroredStore(mirrors: readonly Store[], origin: Store, emit: Emit): Store {
  const unreachable = new Set<Store>();

  const first = async <T>(
    ask: (store: Store) => Promise<T | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> => {
    for (const mirror of mirrors) {
      if (unreachable.has(mirror)) continue;
      try {
        const found = await ask(mirror);
        if (found !== undefined) return found;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof AppError)) throw error;
        pass(mirror, error);
      }
    }
    return ask(origin);
  };
  const pass = (mirror: Store, error: AppError): void => {
    if (error.code === 'REGISTRY' && answerOf(error) === undefined) unreachable.add(mirror);
    if (error.code === 'REFERENCE') return;
    emit({
      type: 'warning',
      code: error.code,
      text: `the mirror ${mirror.name} is passed over: ${error.message}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  };

  return {
    name: origin.name,
    has: (digest, signal) => first((store) => store.has(digest, signal), signal),
    get: async (digest, range, signal) => (await first((store) => store.get(digest, range, signal), signal))!,
    put: origin.put,
    resolve: (tagOrDigest, signal) => first((store) => store.resolve(tagOrDigest, signal), signal),
    tag: origin.tag,
    ...(origin.create ? { create: origin.create } : {}),
    ...(origin.untag ? { untag: origin.untag } : {}),
  };
}
