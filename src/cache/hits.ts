import type { Digest } from '../core/digest.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { chainId, SCRATCH } from './chain-id.ts';
import type { CacheRecord, LayerRef } from './types.ts';

/** How far a stage is known from the cache. */
export interface StageHit {
  /** Steps that need not run: from the first one on. */
  readonly depth: number;
  /** Layers on top of the image that the stage starts from, up to that depth. */
  readonly chain: readonly LayerRef[];
  /** As in CacheRecord, up to that depth. */
  readonly made: string;
  /** Chain IDs of stages read so far, by their last key. */
  readonly sources: Readonly<Record<string, string>>;
  /** The deepest record; undefined when none was found. */
  readonly record?: CacheRecord;
}

/**
 * The deepest usable record of every stage. A record is usable when it agrees with everything else that is known: the
 * image below it, the records of earlier steps, and the present chains of the stages that it copied from. So layers of
 * two different builds are never mixed.
 */
export function resolveHits(
  plan: Plan,
  records: ReadonlyMap<Digest, CacheRecord>,
): ReadonlyMap<number, StageHit> {
  const hits = new Map<number, StageHit>();
  const resolve = (index: number): StageHit => {
    const known = hits.get(index);
    if (known) return known;
    const hit = stageHit(plan, plan.stages.get(index)!, records, resolve);
    hits.set(index, hit);
    return hit;
  };
  for (const index of plan.stages.keys()) resolve(index);
  return hits;
}

/** The chain ID of the image that a stage starts from, through any `FROM stage`. */
export function baseChainId(plan: Plan, stage: PlannedStage): string {
  const { base } = stage;
  if (base.type === 'scratch') return SCRATCH;
  if (base.type === 'image') return chainId(SCRATCH, base.image.config.rootfs.diff_ids);
  return baseChainId(plan, plan.stages.get(base.stage)!);
}

/** The chain ID of all files of a stage whose layers since its image are `chain`. */
function stageChainId(plan: Plan, stage: PlannedStage, chain: readonly LayerRef[]): string {
  return chainId(
    baseChainId(plan, stage),
    chain.map((layer) => layer.diffId),
  );
}

function stageHit(
  plan: Plan,
  stage: PlannedStage,
  records: ReadonlyMap<Digest, CacheRecord>,
  resolve: (stage: number) => StageHit,
): StageHit {
  const base = baseChainId(plan, stage);
  const parent = stage.base.type === 'stage' ? resolve(stage.base.stage) : undefined;
  const parentStage = stage.base.type === 'stage' ? plan.stages.get(stage.base.stage) : undefined;
  const parentComplete = !parentStage || parent!.depth === parentStage.steps.length;
  const below: readonly LayerRef[] = parent?.chain ?? [];
  for (let depth = stage.steps.length; depth > 0; depth -= 1) {
    const record = records.get(stage.steps[depth - 1]!.key);
    if (!record || record.base !== base) continue;
    if (parentComplete && !startsWith(record.chain, below)) continue;
    if (!agreesWithEarlier(record, stage.steps.slice(0, depth - 1), records)) continue;
    if (!sourcesAgree(plan, record, resolve)) continue;
    return { depth, chain: record.chain, made: record.made, sources: record.sources, record };
  }
  if (!parentComplete) return { depth: 0, chain: below, made: parent?.made ?? '', sources: {} };
  return { depth: 0, chain: below, made: parent?.made ?? '', sources: parent?.sources ?? {} };
}

/** A record of an earlier step that is still there must lie on the same chain. */
function agreesWithEarlier(
  record: CacheRecord,
  earlier: readonly Step[],
  records: ReadonlyMap<Digest, CacheRecord>,
): boolean {
  return earlier.every((step) => {
    const other = records.get(step.key);
    return !other || startsWith(record.chain, other.chain);
  });
}

/** A stage that is completely known must be the very one that the record copied from. */
function sourcesAgree(plan: Plan, record: CacheRecord, resolve: (stage: number) => StageHit): boolean {
  for (const stage of plan.stages.values()) {
    const recorded = record.sources[stage.lastKey];
    if (recorded === undefined) continue;
    const hit = resolve(stage.index);
    if (hit.depth === stage.steps.length && stageChainId(plan, stage, hit.chain) !== recorded) return false;
  }
  return true;
}

/** Whether `chain` begins with the files of `prefix`. */
export function startsWith(chain: readonly LayerRef[], prefix: readonly LayerRef[]): boolean {
  return prefix.length <= chain.length && prefix.every((layer, i) => layer.diffId === chain[i]!.diffId);
}
