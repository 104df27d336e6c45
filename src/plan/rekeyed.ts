import { baseKey, contentScope, digestFields, operationFields, stepKey } from './keys.ts';
import type { Plan, PlannedStage, Step } from './types.ts';

/** The plan of the same build with other times of files: nothing but keys is different. */
export function rekeyed(plan: Plan, mtime: Plan['mtime']): Plan {
  const stages = new Map<number, PlannedStage>();
  const stageOf = (index: number): PlannedStage => {
    const known = stages.get(index) ?? rekeyedStage(plan.stages.get(index)!, mtime, stageOf);
    stages.set(index, known);
    return known;
  };
  return { ...plan, mtime, stages: new Map([...plan.stages.keys()].map((index) => [index, stageOf(index)])) };
}

function rekeyedStage(
  stage: PlannedStage,
  mtime: Plan['mtime'],
  stageOf: (index: number) => PlannedStage,
): PlannedStage {
  const { base, baseInput, platform } = stage;
  const first = base.type === 'stage' ? stageOf(base.stage).lastKey : baseKey({ ...baseInput, mtime });
  let key = first;
  const steps = stage.steps.map((step): Step => {
    const { digest, fields } =
      step.stages.length === 0
        ? { digest: step.operationDigest, fields: step.fields }
        : digestFields(operationFields(step.operation, (index) => stageOf(index).lastKey));
    key = stepKey(key, digest);
    return { ...step, key, operationDigest: digest, fields };
  });
  return {
    ...stage,
    baseInput: { ...baseInput, mtime },
    baseKey: first,
    contentScope: contentScope({ salt: baseInput.salt, platform, mtime }),
    steps,
    lastKey: key,
  };
}
