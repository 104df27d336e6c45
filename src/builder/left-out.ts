import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { Execution } from './execution.ts';
import type { Session } from './session.ts';

/** What turned out to be unreadable in the course of a build, and what is done without from then on. */
export interface LeftOut {
  /** Layers that are not read from the cache any more. */
  readonly layers: ReadonlySet<Digest>;
  /** Layers of base images that are read once more, each as a whole. */
  readonly readAnew: ReadonlySet<Digest>;
  /** Whether so much cannot be read that nothing is taken from the cache any more. */
  readonly wholeCache: boolean;
  /**
   * Learns from what stopped an attempt.
   * @returns whether another attempt can do without it: a copy of the layer is left out, or its source is asked once more
   */
  learn(error: unknown, execution: Execution): boolean;
}

/** Attempts that leave out one damaged layer each; the next one leaves out all. */
const MOST_LAYERS = 8;
/** The same where the cache itself fails: each attempt takes as long as all tries of a request. */
const MOST_FAILURES = 2;
/** Base layers that are read anew, and copies of them that are left out: more are no accident. */
const MOST_BASE_LAYERS = 32;
const READING = ['CORRUPT', 'REFERENCE', 'REGISTRY', 'AUTH'];

/**
 * A layer of a step that cannot be read is left out, and the step is carried out. A layer of a base image is read where the
 * next copy of it is: from the directory of base images, then from the cache, then from its registry, and from there a
 * second time when its bytes were wrong.
 */
export function createLeftOut(session: Session, emit: Emit): LeftOut {
  const layers = new Set<Digest>();
  const readAnew = new Set<Digest>();
  let baseLayers = 0;
  let failures = 0;
  let wholeCache = false;

  const say = (error: AppError, what: string): void =>
    emit({ type: 'warning', code: 'CORRUPT', text: `${what}: ${error.message}` });

  const learnOfBase = (layer: Digest, error: AppError, execution: Execution): boolean => {
    baseLayers += 1;
    if (baseLayers > MOST_BASE_LAYERS) return false;
    if (session.leaveOutBase(layer)) {
      say(error, `the copy of the base layer ${layer} cannot be read and is left out`);
      return true;
    }
    if (execution.fromCache(layer) && !layers.has(layer)) {
      layers.add(layer);
      say(error, `the cached copy of the base layer ${layer} cannot be read and is left out`);
      return true;
    }
    if (error.code !== 'CORRUPT' || readAnew.has(layer)) return false;
    readAnew.add(layer);
    say(error, `the base layer ${layer} is read once more`);
    return true;
  };

  return {
    layers,
    readAnew,
    get wholeCache() {
      return wholeCache;
    },
    learn: (error, execution) => {
      if (!(error instanceof AppError) || !error.where?.layer || !READING.includes(error.code)) return false;
      const layer = error.where.layer as Digest;
      if (session.isBaseLayer(layer)) return learnOfBase(layer, error, execution);
      if (!execution.fromCache(layer) || wholeCache) return false;
      if (error.code === 'REGISTRY' || error.code === 'AUTH') failures += 1;
      wholeCache = layers.has(layer) || layers.size >= MOST_LAYERS || failures >= MOST_FAILURES;
      layers.add(layer);
      const rest = wholeCache ? ', and so is the rest of the cache' : '';
      say(error, `the cached layer ${layer} cannot be read and is left out${rest}`);
      return true;
    },
  };
}
