import { AppError } from '../core/error.ts';
import { findStage, resolveTarget } from '../dockerfile/graph.ts';
import { expandWord } from '../dockerfile/expand.ts';
import { isProxyArg, platformArgs } from './environment.ts';
import type { PlanInput } from './inputs.ts';
import { type GlobalScope, planStage } from './stage.ts';
import { whereOf } from './stage-state.ts';
import type { Plan, PlannedStage, TreeSource } from './types.ts';

/**
 * Works out all that a build does: every stage that the target needs, every step, every key. Nothing is run, and of
 * images only manifests and configs are read.
 * @throws AppError DOCKERFILE, CONTEXT, REFERENCE, REGISTRY, each at its instruction
 */
export async function plan(input: PlanInput): Promise<Plan> {
  const { dockerfile } = input;
  const target = resolveTarget(dockerfile, input.target);
  const scope = globalScope(input, target);
  const stages = new Map<number, Promise<PlannedStage>>();
  const need = (index: number, path: readonly number[]): Promise<PlannedStage> => {
    if (path.includes(index)) throw cycle(input, index);
    let stage = stages.get(index);
    if (!stage) {
      stage = planStage({ input, scope, stage: dockerfile.stages[index]!, need: (to) => need(to, [...path, index]), find });
      stages.set(index, stage);
    }
    return stage;
  };
  const find = (name: string, before: number, anywhere: boolean): TreeSource | undefined => {
    const index = findStage(dockerfile, name);
    return index !== undefined && (anywhere || index < before) ? { type: 'stage', stage: index } : undefined;
  };
  await need(target, []);
  const planned = await Promise.all([...stages.keys()].sort((a, b) => a - b).map((index) => stages.get(index)!));
  return {
    platform: input.platform,
    stages: new Map(planned.map((stage) => [stage.index, stage])),
    target,
    mtime: input.mtime,
    warnings: [...dockerfile.warnings, ...unusedArgs(input, scope)],
  };
}

function globalScope(input: PlanInput, target: number): GlobalScope {
  const { dockerfile, buildArgs } = input;
  const stage = dockerfile.stages[target]!;
  const automatic = platformArgs(input.platform, input.buildPlatform, stage.from.name ?? String(target));
  const declared = new Map<string, string>();
  const used = new Set<string>();
  const lookup = (name: string): string | undefined =>
    declared.get(name) ?? buildArgs.get(automatic.has(name) ? name : '') ?? automatic.get(name);
  for (const instruction of dockerfile.metaArgs) {
    for (const { key, value } of instruction.args) {
      const given = buildArgs.get(key);
      if (given !== undefined) used.add(key);
      const where = whereOf(dockerfile, instruction.range);
      const resolved = given ?? (value === undefined ? undefined : expandWord(value, lookup, dockerfile.escape, where));
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

function cycle({ dockerfile }: PlanInput, index: number): AppError {
  const { from } = dockerfile.stages[index]!;
  return new AppError('DOCKERFILE', `stage ${from.name ?? index} depends on itself`, {
    where: whereOf(dockerfile, from.range),
    hint: 'follow its COPY --from and RUN --mount=from instructions: one of them leads back to it',
  });
}
