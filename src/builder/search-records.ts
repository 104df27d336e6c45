import { createLookups, type LookupOptions } from '../cache/lookup.ts';
import type { CacheRecord } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import { type Emit, timed } from '../core/events.ts';
import { partsOf } from '../plan/join.ts';
import type { Plan } from '../plan/types.ts';

/** Of a Dockerfile with many stages on their own, so many tell for all. */
const MOST_FIRST = 4;

/** The records of a build's plans, as far as they were asked for. */
export interface RecordSearch {
  readonly found: ReadonlyMap<Digest, CacheRecord>;
  /** Asks for all others that could be there. @returns false where there is nothing left to ask for */
  more(): Promise<boolean>;
}

/** For a build that takes nothing from the cache. */
export const NO_RECORDS: RecordSearch = { found: new Map(), more: async () => false };

/**
 * Asks for the records of the targets, each of which is complete in itself, and in the same round for some that tell whether
 * anybody has built reproducibly: where the cache has none of them, the rest of such a plan that is not the build's own, the
 * last one, is never asked for, nor are ages.
 * @param lookup undefined where nothing is looked up
 */
export async function searchRecords(
  plans: readonly Plan[],
  lookup: LookupOptions | undefined,
  emit: Emit,
): Promise<RecordSearch> {
  if (!lookup) return NO_RECORDS;
  const refused = lookup.refused ?? new Map();
  const ask = createLookups({ ...lookup, refused });
  const found = new Map<Digest, CacheRecord>();
  const asked = new Set<Digest>();
  const askFor = async (keys: readonly Digest[], undated: readonly Digest[]): Promise<void> => {
    const left = keys.filter((key) => !asked.has(key));
    for (const key of left) asked.add(key);
    const records = await timed(emit, 'lookup', () => ask(left, new Set(undated)));
    for (const [key, record] of records) found.set(key, record);
  };
  const first = plans.map(firstKeys);
  await askFor(
    first.flat(),
    plans.flatMap((plan, i) => (isUndated(plan) ? first[i]! : [])),
  );
  let isWhole = false;
  return {
    found,
    more: async () => {
      if (isWhole) return false;
      isWhole = true;
      const own = plans.at(-1)!;
      const known = plans.filter((_, i) => first[i]!.some((key) => found.has(key) || refused.has(key)));
      const wanted = plans.filter((plan) => plan === own || known.includes(plan));
      const keys = keysOf(wanted);
      if (keys.every((key) => asked.has(key))) return false;
      await askFor(keys, keysOf(known.filter(isUndated)));
      return true;
    },
  };
}

/** Whether the records of a plan say nothing of their age. */
const isUndated = ({ mtime }: Plan): boolean => mtime !== 'keep';

/** The keys of all steps. */
export function keysOf(plans: readonly Plan[]): readonly Digest[] {
  return plans.flatMap(({ stages }) =>
    [...stages.values()].flatMap(({ steps }) => steps.map(({ key }) => key)),
  );
}

/** Keys of the last steps of the targets; of a reproducible plan those of some steps that nothing comes before, too. */
function firstKeys(plan: Plan): readonly Digest[] {
  const last = partsOf(plan).flatMap(({ target }) => lastKey(plan, target));
  if (!isUndated(plan)) return last;
  const first = [...plan.stages.values()].flatMap(({ base, steps: [step] }) =>
    step && base.type !== 'stage' && step.stages.length === 0 ? [step.key] : [],
  );
  return [...last, ...(first.length > MOST_FIRST ? [...first.slice(0, 2), ...first.slice(-2)] : first)];
}

function lastKey(plan: Plan, index: number): readonly Digest[] {
  const { base, steps } = plan.stages.get(index)!;
  const last = steps.at(-1);
  if (last) return [last.key];
  return base.type === 'stage' ? lastKey(plan, base.stage) : [];
}
