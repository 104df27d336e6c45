import type { StageHit } from '../cache/hits.ts';
import { partsOf } from '../plan/join.ts';
import type { Plan } from '../plan/types.ts';
import { layersKey } from '../rootfs/overlay/bases.ts';
import { baseImage } from './image.ts';

/**
 * The base images, by layersKey, of more than one of the stages whose files the missing steps of the target are likely to
 * need.
 */
export function sharedBases(plan: Plan, hits: ReadonlyMap<number, StageHit>): ReadonlySet<string> {
  const visited = new Set<number>();
  const once = new Set<string>();
  const shared = new Set<string>();
  const visit = (index: number): void => {
    if (visited.has(index)) return;
    visited.add(index);
    const stage = plan.stages.get(index)!;
    const { depth } = hits.get(index)!;
    for (const step of stage.steps.slice(depth)) step.stages.forEach(visit);
    // It goes on from the very files of the stage below.
    if (depth === 0 && stage.base.type === 'stage') return visit(stage.base.stage);
    const base = baseImage(plan, stage);
    if (!base) return;
    const key = layersKey(base.config.rootfs.diff_ids);
    (once.has(key) ? shared : once).add(key);
  };
  for (const { target } of partsOf(plan)) visit(target);
  return shared;
}
