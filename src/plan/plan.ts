import { expandWord } from '../dockerfile/expand/expand.ts';
import { resolveTarget } from '../dockerfile/graph.ts';
import { isProxyArg, platformArgs } from './environment.ts';
import type { PlanInput } from './inputs.ts';
import { planStage } from './stage.ts';
import type { GlobalScope } from './stage-deps.ts';
import { whereOf } from './stage-state.ts';
import type { Plan, PlannedStage } from './types.ts';

/**
 * Works out all that a build does: every stage that the target needs, every step, every key. Nothing is run, and of
 * images only manifests and configs are read.
 * @throws AppError DOCKERFILE, CONTEXT, REFERENCE, REGISTRY, each at its instruction
 */
export async function plan(input: PlanInput): Promise<Plan> {
  const { dockerfile } = input;
  const target = resolveTarget(dockerfile, input.target);
  const scope = globalScope(input);
  const stages = new Map<number, Promise<PlannedStage>>();
  const need = (index: number): Promise<PlannedStage> => {
    const known = stages.get(index);
    if (known) return known;
    const stage = planStage({ input, scope, stage: dockerfile.stages[index]!, need });
    stages.set(index, stage);
    return stage;
  };
  await need(target);
  const planned = await Promise.all(
    [...stages.keys()].sort((a, b) => a - b).map((index) => stages.get(index)!),
  );
  return {
    platform: input.platform,
    stages: new Map(planned.map((stage) => [stage.index, withLabels(input, target, stage)])),
    target,
    mtime: input.mtime,
    warnings: [...dockerfile.warnings, ...unusedArgs(input, scope)],
  };
}

function withLabels({ labels }: PlanInput, target: number, stage: PlannedStage): PlannedStage {
  if (!labels || labels.size === 0 || stage.index !== target) return stage;
  const { config } = stage;
  return { ...stage, config: { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } } };
}

function globalScope(input: PlanInput): GlobalScope {
  const { dockerfile, buildArgs } = input;
  const automatic = platformArgs(input.platform, input.buildPlatform, input.target ?? 'default');
  const declared = new Map<string, string>();
  const used = new Set<string>();
  const lookup = (name: string): string | undefined =>
    declared.get(name) ?? buildArgs.get(automatic.has(name) ? name : '') ?? automatic.get(name);
  for (const instruction of dockerfile.metaArgs) {
    for (const { key, value } of instruction.args) {
      const given = buildArgs.get(key);
      if (given !== undefined) used.add(key);
      const where = whereOf(dockerfile, instruction.range);
      const resolved =
        given ?? (value === undefined ? undefined : expandWord(value, lookup, dockerfile.escape, where));
      if (resolved !== undefined) declared.set(key, resolved);
    }
  }
  return { lookup, used };
}

function unusedArgs({ buildArgs, dockerfile }: PlanInput, scope: GlobalScope): Plan['warnings'] {
  const [first] = dockerfile.stages;
  const unused = [...buildArgs.keys()].filter((name) => !scope.used.has(name) && !isProxyArg(name));
  if (unused.length === 0 || !first) return [];
  const text = `build arguments that no ARG declares: ${unused.join(', ')}`;
  return [{ rule: 'UnusedBuildArg', text, range: first.from.range }];
}
