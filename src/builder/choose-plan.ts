import { missingSteps, resolveHits } from '../cache/hits.ts';
import type { CacheRecord } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import { rekeyed } from '../plan/rekeyed.ts';
import type { Plan } from '../plan/types.ts';
import type { RecordSearch } from './search-records.ts';
import { epochOf } from './times.ts';
import type { BuildRequest } from './types.ts';
import { type UsableRecords, type UsableRecordsDeps, usableRecords } from './usable-records.ts';

type Records = ReadonlyMap<Digest, CacheRecord>;

/**
 * The plans that a build can go by: its own; and where its files keep their times, before it that of the reproducible build
 * of the same, since what that has stored is as good. They have no key in common, so that layers of the two never come
 * together.
 */
export function plansOf(request: BuildRequest, plan: Plan): readonly Plan[] {
  return plan.mtime === 'keep' ? [rekeyed(plan, epochOf(request)), plan] : [plan];
}

/** How many steps would have to run. */
function missing(plan: Plan, records: Records): number {
  return missingSteps(plan, resolveHits(plan, records)).length;
}

/**
 * The plans in the order in which to try them: the one of which the fewest steps are missing; of those that are complete the
 * first one, and of those that are not the last one, which is the build's own.
 */
export function inOrder(
  plans: readonly Plan[],
  records: Records,
): readonly { readonly plan: Plan; readonly missing: number }[] {
  return plans
    .map((plan, index) => ({ plan, index, missing: missing(plan, records) }))
    .sort((a, b) => a.missing - b.missing || (a.missing === 0 ? a.index - b.index : b.index - a.index));
}

/** The same, where records are asked for until nothing is missing or all are known. */
export async function orderOf(
  plans: readonly Plan[],
  search: RecordSearch,
): Promise<ReturnType<typeof inOrder>> {
  for (;;) {
    const order = inOrder(plans, search.found);
    if (order[0]!.missing === 0 || !(await search.more())) return order;
  }
}

/** A plan, and what the cache has of it. */
export interface ChosenPlan {
  readonly plan: Plan;
  readonly usable: UsableRecords;
}

/** The plan to go by, as inOrder has it; layers that are gone count. */
export async function choosePlan(
  plans: readonly Plan[],
  search: RecordSearch,
  deps: UsableRecordsDeps,
): Promise<ChosenPlan> {
  const bad = new Set(deps.bad);
  for (;;) {
    const order = await orderOf(plans, search);
    const best = await bestOf(order, search.found, { ...deps, bad });
    if (best.missing === 0 || !(await search.more())) return best;
    for (const layer of best.usable.unusable) bad.add(layer);
  }
}

async function bestOf(
  order: ReturnType<typeof inOrder>,
  records: Records,
  deps: UsableRecordsDeps,
): Promise<ChosenPlan & { readonly missing: number }> {
  let best: (ChosenPlan & { readonly missing: number }) | undefined;
  for (const { plan, missing } of order) {
    if (best && best.missing <= missing) break;
    const usable = await usableRecords(plan, records, deps);
    const left = missingSteps(plan, usable.hits).length;
    if (!best || left < best.missing) best = { plan, usable, missing: left };
  }
  return best!;
}
