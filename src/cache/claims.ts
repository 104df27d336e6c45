import type { Digest } from '../core/digest.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { chainId, SCRATCH } from './chain-id.ts';
import type { CacheRecord, LayerRef } from './types.ts';

/** What a build made under one key: the files after a step. */
export interface Claim {
  /** Chain ID of all files after the step. */
  readonly id: string;
  /** The layers since the image; undefined where only their chain ID is known, of a stage that was read from. */
  readonly layers?: readonly LayerRef[];
  /** As in CacheRecord, up to the step. */
  readonly made?: string;
}

/** By key: what one build made. Results of builds that claim the same of every key that both name can be put together. */
export type Claims = ReadonlyMap<string, Claim>;

/** All steps since the image that a stage starts from, through any `FROM stage`, up to `depth` in the stage itself. */
function lineage(plan: Plan, stage: PlannedStage, depth = stage.steps.length): readonly Step[] {
  const own = stage.steps.slice(0, depth);
  if (stage.base.type !== 'stage') return own;
  return [...lineage(plan, plan.stages.get(stage.base.stage)!), ...own];
}

/** The chain ID of the image that a stage starts from, through any `FROM stage`. */
export function baseChainId(plan: Plan, stage: PlannedStage): string {
  const { base } = stage;
  if (base.type === 'scratch') return SCRATCH;
  if (base.type === 'image') return chainId(SCRATCH, base.image.config.rootfs.diff_ids);
  return baseChainId(plan, plan.stages.get(base.stage)!);
}

/**
 * Everything that a record says of its build: of each step up to its own, since it names all layers, and of the stages
 * that were read. Undefined when it does not fit the stage.
 * @param depth in steps of the stage; the last of them is the record's
 */
export function claimsOf(
  plan: Plan,
  stage: PlannedStage,
  depth: number,
  record: Pick<CacheRecord, 'base' | 'chain' | 'made' | 'sources'>,
): Claims | undefined {
  const base = baseChainId(plan, stage);
  const steps = lineage(plan, stage, depth);
  if (record.base !== base || record.made.length !== steps.length) return undefined;
  const claims = new Map<string, Claim>(Object.entries(record.sources).map(([key, id]) => [key, { id }]));
  let id = base;
  let count = 0;
  for (const [i, { key }] of steps.entries()) {
    const layer = record.made[i] === '1' ? record.chain[count] : undefined;
    if (layer) {
      id = chainId(id, [layer.diffId]);
      count += 1;
    }
    claims.set(key, { id, layers: record.chain.slice(0, count), made: record.made.slice(0, i + 1) });
  }
  return claims;
}

/**
 * What a step that reads a stage has to say of it: the chain ID of all its files, by the stage's last key, and of what
 * other stages have in common with it, which are the stages that it goes on from, and steps that stand in two stages.
 */
export function sourcesOf(
  plan: Plan,
  stage: PlannedStage,
  { chain, made }: Pick<CacheRecord, 'chain' | 'made'>,
): CacheRecord['sources'] {
  const base = baseChainId(plan, stage);
  const stages = [...plan.stages.values()];
  const shared = (key: Digest): boolean =>
    stages.some(({ lastKey }) => lastKey === key) ||
    stages.filter(({ steps }) => steps.some((step) => step.key === key)).length > 1;
  const claims = claimsOf(plan, stage, stage.steps.length, { base, chain, made, sources: {} });
  const named = [...(claims ?? [])]
    .filter(([key]) => shared(key as Digest))
    .map(([key, { id }]) => [key, id]);
  const id = chainId(
    base,
    chain.map(({ diffId }) => diffId),
  );
  return { ...Object.fromEntries(named), [stage.lastKey]: id };
}

/** Whether two sets of claims say the same of every key that both name. */
export function agree(some: Claims, others: ReadonlyMap<string, Pick<Claim, 'id'>>): boolean {
  for (const [key, { id }] of some) if ((others.get(key)?.id ?? id) !== id) return false;
  return true;
}
