import { missingSteps, resolveHits, type StageHit } from '../cache/hits.ts';
import { type LookupOptions, lookupRecord } from '../cache/lookup.ts';
import type { CacheRecord } from '../cache/types.ts';
import { mapLimit } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { Store } from '../oci/types.ts';
import type { Plan } from '../plan/types.ts';
import type { SmallLayers } from './publishing/small-layers.ts';

const PARALLEL_CHECKS = 128;

export interface UsableRecords {
  readonly records: ReadonlyMap<Digest, CacheRecord>;
  readonly hits: ReadonlyMap<number, StageHit>;
  /** Layers that are gone or damaged. */
  readonly unusable: ReadonlySet<Digest>;
}

/** Where layers are looked for. */
export interface UsableRecordsDeps {
  readonly store: Store | undefined;
  /** Layers that turned out to be unreadable earlier in this build. */
  readonly bad: ReadonlySet<Digest>;
  /** Asked for layers instead of the store, where they will be read. */
  readonly small?: SmallLayers | undefined;
  /** The files of all layers are wanted, also where no step is missing. */
  readonly reads?: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * The hits of a plan whose layers are all in the store, with their right sizes; a record of a layer that is gone is a
 * miss with a warning, and so is one of a layer that cannot be asked for. All layers of a round are asked for at once.
 */
export async function usableRecords(
  plan: Plan,
  found: ReadonlyMap<Digest, CacheRecord>,
  deps: UsableRecordsDeps,
): Promise<UsableRecords> {
  const unusable = new Set(deps.bad);
  const present = new Set<Digest>();
  for (;;) {
    const records = new Map(
      [...found].filter(([, record]) => !record.chain.some((layer) => unusable.has(layer.digest))),
    );
    const hits = resolveHits(plan, records);
    const layers = [...hits.values()].flatMap((hit) => [...hit.chain]);
    const unknown = [...new Map(layers.map((layer) => [layer.digest, layer])).values()].filter(
      (layer) => !present.has(layer.digest),
    );
    if (unknown.length === 0 || !deps.store) return { records, hits, unusable };
    const { store, signal } = deps;
    const small = deps.reads || missingSteps(plan, hits).length > 0 ? deps.small : undefined;
    const answers = await mapLimit(unknown, PARALLEL_CHECKS, async (layer) => {
      const answer = small ? small.has(layer, signal) : store.has(layer.digest, signal);
      return answer.catch((error: unknown) => asFailure(error, signal));
    });
    for (const [i, layer] of unknown.entries()) {
      const answer = answers[i];
      if (answer === layer.size) {
        present.add(layer.digest);
        continue;
      }
      unusable.add(layer.digest);
      const state =
        answer instanceof AppError
          ? `cannot be asked for (${answer.message})`
          : answer === undefined
            ? 'is gone'
            : `has ${answer} bytes instead of ${layer.size}`;
      deps.emit({
        type: 'warning',
        code: 'CORRUPT',
        text: `the cached layer ${layer.digest} ${state} in ${store.name}; its step counts as a miss`,
      });
    }
  }
}

/** A store's failure as an answer; what is none, or was wanted, is thrown. */
function asFailure(error: unknown, signal: AbortSignal): AppError {
  signal.throwIfAborted();
  if (error instanceof AppError) return error;
  throw error;
}

/** A function that gives the record under a key as the own repository has it now, where all of its layers are there. */
export function createUsableRecord(
  lookup: LookupOptions,
  {
    ownStore,
    store,
    unusable,
  }: { readonly ownStore: Store; readonly store: Store; readonly unusable: ReadonlySet<Digest> },
): (key: Digest) => Promise<CacheRecord | undefined> {
  /** Layers that were there when they were asked for: chains are mostly the same. */
  const present = new Map<Digest, number>();
  const sizeOf = async (digest: Digest): Promise<number | undefined> => {
    const size = present.get(digest) ?? (await store.has(digest, lookup.signal));
    if (size !== undefined) present.set(digest, size);
    return size;
  };
  return async (key) => {
    try {
      const record = await lookupRecord(key, { ...lookup, stores: [ownStore] });
      if (record?.key !== key || record.chain.some(({ digest }) => unusable.has(digest))) return undefined;
      const sizes = await mapLimit(record.chain, PARALLEL_CHECKS, ({ digest }) => sizeOf(digest));
      return sizes.every((size, i) => size === record.chain[i]!.size) ? record : undefined;
    } catch (error) {
      lookup.signal?.throwIfAborted();
      if (error instanceof AppError) return undefined;
      throw error;
    }
  };
}
