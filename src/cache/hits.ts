import type { Digest } from '../core/digest.ts';
import { partsOf } from '../plan/join.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { agree, type Claim, claimsOf } from './claims.ts';
import type { CacheRecord, LayerRef } from './types.ts';

/** How far a stage is known from the cache. */
export interface StageHit {
  /** Steps that need not run: from the first one on. */
  readonly depth: number;
  /** Layers on top of the image that the stage starts from, up to that depth. */
  readonly chain: readonly LayerRef[];
  /** As in CacheRecord, up to that depth. */
  readonly made: string;
  /** As in CacheRecord, of the deepest record. */
  readonly sources: Readonly<Record<string, string>>;
  /** The deepest record; undefined when none was found for a step of the stage itself. */
  readonly record?: CacheRecord;
  /** When the last layer was made, be it a step's of the stage that this one goes on from. */
  readonly created?: string;
}

interface Candidate {
  readonly record: CacheRecord;
  /** The record that it was taken from. */
  readonly origin: CacheRecord;
}

interface Claimed extends Claim {
  /** The records that say so. */
  readonly by: readonly CacheRecord[];
  /** The first of them that names the layers. */
  readonly from?: CacheRecord;
}

/**
 * The deepest record of every stage, over all stages together: the records that are chosen agree in all that they say of
 * their builds, so that layers of two builds are never mixed. The target's deepest comes first, since a record is complete
 * in itself, then what the steps behind it need. No step has to run whose result a chosen record has used already. Of a plan
 * of several images, one that is recorded whole is what its own records say, as in a build of it alone.
 */
export function resolveHits(
  plan: Plan,
  records: ReadonlyMap<Digest, CacheRecord>,
): ReadonlyMap<number, StageHit> {
  const parts = partsOf(plan);
  if (parts.length === 1) return consistentHits(plan, records);
  const alone = parts.map((part) => ({ part, hits: consistentHits(part, records) }));
  const whole = alone.filter(({ part, hits }) => missingSteps(part, hits).length === 0);
  const [first, ...others] = parts.filter((part) => !whole.some((one) => one.part === part));
  const rest = first ? consistentHits({ ...first, others }, records) : alone[0]!.hits;
  const own = whole.flatMap(({ part, hits }) =>
    neededStages(part, hits).map((index) => [index, hits.get(index)!] as const),
  );
  return new Map([...rest, ...own]);
}

function consistentHits(
  plan: Plan,
  records: ReadonlyMap<Digest, CacheRecord>,
): ReadonlyMap<number, StageHit> {
  const left = new Map(records);
  for (;;) {
    const { hits, claims } = choose(plan, left);
    const clashing = missingSteps(plan, hits).flatMap(({ key }) => claims.get(key)?.by ?? []);
    if (clashing.length === 0) return hits;
    for (const [key, record] of left) if (clashing.includes(record)) left.delete(key);
  }
}

/** The stages that a build works on: its targets, and whatever steps without a record need. */
export function neededStages(plan: Plan, hits: ReadonlyMap<number, StageHit>): readonly number[] {
  const needed = new Set<number>();
  const visit = (index: number): void => {
    if (needed.has(index)) return;
    needed.add(index);
    stagesBehind(plan.stages.get(index)!, hits.get(index)!.depth).forEach(visit);
  };
  for (const { target } of partsOf(plan)) visit(target);
  return [...needed].sort((a, b) => a - b);
}

/**
 * The layer of a step of a stage, as the stage's deepest record has it; undefined where it has none.
 * @param index of the step in its stage, below the hit's depth
 */
export function layerOf({ depth, chain, made }: StageHit, index: number): LayerRef | undefined {
  const at = made.length - depth + index;
  if (made[at] !== '1') return undefined;
  return chain[made.slice(0, at).replaceAll('0', '').length];
}

/** The steps that the targets need and the cache does not have, in the order of the Dockerfile. */
export function missingSteps(plan: Plan, hits: ReadonlyMap<number, StageHit>): readonly Step[] {
  return neededStages(plan, hits).flatMap((index) =>
    plan.stages.get(index)!.steps.slice(hits.get(index)!.depth),
  );
}

/** The stages whose results a stage needs that is known up to `depth`. */
function stagesBehind({ base, steps }: PlannedStage, depth: number): readonly number[] {
  const below = depth === 0 && base.type === 'stage' ? [base.stage] : [];
  return [...below, ...steps.slice(depth).flatMap((step) => step.stages)];
}

const NOTHING: StageHit = { depth: 0, chain: [], made: '', sources: {} };

function choose(
  plan: Plan,
  records: ReadonlyMap<Digest, CacheRecord>,
): { readonly hits: ReadonlyMap<number, StageHit>; readonly claims: ReadonlyMap<string, Claimed> } {
  const hits = new Map<number, StageHit>();
  const claims = new Map<string, Claimed>();

  /** The step's own record; else, or where that is of another build, what a record that was chosen says of the step. */
  const candidate = (stage: PlannedStage, depth: number): Candidate | undefined => {
    const { key } = stage.steps[depth - 1]!;
    const claimed = claims.get(key);
    const own = records.get(key);
    if (!claimed?.layers || (own && sameLayers(own.chain, claimed.layers)))
      return own && { record: own, origin: own };
    const origin = claimed.from!;
    return { record: { ...origin, key, chain: claimed.layers, made: claimed.made! }, origin };
  };
  const deepest = (stage: PlannedStage): { depth: number; record: CacheRecord } | undefined => {
    for (let depth = stage.steps.length; depth > 0; depth -= 1) {
      const found = candidate(stage, depth);
      const said = found && claimsOf(plan, stage, depth, found.record);
      if (!said || !agree(said, claims)) continue;
      for (const [key, claim] of said) {
        const known = claims.get(key);
        const from = known?.from ?? (claim.layers ? found.origin : undefined);
        const by = [...(known?.by ?? []), found.origin];
        claims.set(key, { ...known, ...claim, by, ...(from ? { from } : {}) });
      }
      return { depth, record: found.record };
    }
    return undefined;
  };
  const visit = (index: number): StageHit => {
    const known = hits.get(index);
    if (known) return known;
    const stage = plan.stages.get(index)!;
    const found = deepest(stage);
    if (found) {
      const { depth, record } = found;
      const { chain, made, sources, created } = record;
      hits.set(index, { depth, chain, made, sources, record, created });
    } else {
      const below = stage.base.type === 'stage' ? visit(stage.base.stage) : undefined;
      const { chain, made, sources, created } = below ?? NOTHING;
      hits.set(index, { depth: 0, chain, made, sources, ...(created === undefined ? {} : { created }) });
    }
    const hit = hits.get(index)!;
    for (const needed of stagesBehind(stage, hit.depth)) visit(needed);
    return hit;
  };
  for (const { target } of partsOf(plan)) visit(target);
  // Nobody needs the others unless a layer turns out to be unreadable.
  for (const index of plan.stages.keys()) visit(index);
  return { hits, claims };
}

function sameLayers(some: readonly LayerRef[], others: readonly LayerRef[]): boolean {
  return some.length === others.length && some.every((layer, i) => layer.diffId === others[i]!.diffId);
}
