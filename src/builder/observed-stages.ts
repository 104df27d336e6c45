import type { ObservedStage } from '../core/observer.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { Plan } from '../plan/types.ts';

/** The stages of a plan as observers see them. */
export function observedStages(plan: Plan): readonly ObservedStage[] {
  const targets = new Set([plan.target, ...(plan.others ?? []).map(({ target }) => target)]);
  return [...plan.stages.values()].map(({ index, name, platform, base, steps }) => ({
    index,
    name,
    platform: formatPlatform(platform),
    target: targets.has(index),
    base: base.type === 'image' ? base.image.reference : base.type === 'scratch' ? 'scratch' : null,
    from: base.type === 'stage' ? base.stage : null,
    reads: [...new Set(steps.flatMap(({ stages }) => stages))].filter((other) => other !== index),
  }));
}
