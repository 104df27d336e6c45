import type { Readable } from 'node:stream';
import type { Digest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import type { Store } from '../types.ts';
import { answerOf } from './errors.ts';

/** Which blobs came from mirrors, and which of those are not to be had from there any more. */
export interface MirrorCopies {
  came(digest: Digest): void;
  isLeftOut(digest: Digest): boolean;
  /** Reads a blob from its own registry from now on; whether it came from a mirror until now. */
  leaveOut(digest: Digest): boolean;
}

/** Knows of no copies yet. */
export function createMirrorCopies(): MirrorCopies {
  const came = new Set<Digest>();
  const leftOut = new Set<Digest>();
  return {
    came: (digest) => came.add(digest),
    isLeftOut: (digest) => leftOut.has(digest),
    leaveOut: (digest) => {
      const held = came.delete(digest);
      if (held) leftOut.add(digest);
      return held;
    },
  };
}

/**
 * A store that reads from mirrors in order, then from the origin, and writes to the origin only. A mirror that lacks
 * something or fails is passed over; one that cannot be reached is not asked again, and neither is one for a blob of which it
 * sent wrong bytes.
 */
export function createMirroredStore(
  mirrors: readonly Store[],
  origin: Store,
  emit: Emit,
  copies: MirrorCopies = createMirrorCopies(),
): Store {
  const unreachable = new Map<Store, AppError>();

  const first = async <T>(
    ask: (store: Store) => Promise<T | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> => {
    const said: string[] = [];
    for (const mirror of mirrors) {
      const before = unreachable.get(mirror);
      if (before) said.push(`the mirror ${mirror.name} could not be reached: ${before.message}`);
      if (before) continue;
      try {
        const found = await ask(mirror);
        if (found !== undefined) return found;
        said.push(`the mirror ${mirror.name} does not have it`);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof AppError)) throw error;
        pass(mirror, error);
        said.push(`the mirror ${mirror.name} was asked first: ${error.message}`);
      }
    }
    try {
      return await ask(origin);
    } catch (error) {
      throw withAnswers(error, said);
    }
  };
  const pass = (mirror: Store, error: AppError): void => {
    if (error.code === 'REGISTRY' && answerOf(error) === undefined) unreachable.set(mirror, error);
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
    has: (digest, signal) =>
      copies.isLeftOut(digest)
        ? origin.has(digest, signal)
        : first((store) => store.has(digest, signal), signal),
    get: async (digest, range, signal) => {
      if (copies.isLeftOut(digest)) return origin.get(digest, range, signal);
      const open = async (store: Store): Promise<Readable> => {
        const stream = await store.get(digest, range, signal);
        if (store === origin) return stream;
        copies.came(digest);
        return stream.once('error', (error) => {
          if (error instanceof AppError && error.code === 'CORRUPT') copies.leaveOut(digest);
        });
      };
      return (await first(open, signal))!;
    },
    put: origin.put,
    resolve: (tagOrDigest, signal) => first((store) => store.resolve(tagOrDigest, signal), signal),
    tag: origin.tag,
    ...(origin.create ? { create: origin.create } : {}),
    ...(origin.creates ? { creates: origin.creates } : {}),
    ...(origin.drop ? { drop: origin.drop } : {}),
  };
}

/** Where the origin gave no answer at all, what mirrors said is what people look for. */
function withAnswers(error: unknown, said: readonly string[]): unknown {
  if (!(error instanceof AppError) || error.code !== 'REGISTRY' || said.length === 0) return error;
  if (answerOf(error) !== undefined) return error;
  const { code, message, hint, where, cause } = error;
  return new AppError(code, `${message}; ${said.join('; ')}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { where }),
    ...(cause === undefined ? {} : { cause }),
  });
}
