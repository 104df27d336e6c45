import { isBuilderArg } from '../dockerfile/builder-args.ts';
import { expandWord } from '../dockerfile/expand/expand.ts';
import { resolveTarget } from '../dockerfile/graph.ts';
import { inOrder, isOn } from '../dockerfile/lint/lint.ts';
import { ruleNamed } from '../dockerfile/lint/rules.ts';
import type { LintWarning } from '../dockerfile/types.ts';
import { isProxyArg, platformArgs } from './environment.ts';
import { imagePlatform } from './image-platform.ts';
import type { PlanInput } from './inputs.ts';
import { checkSourceDateEpoch } from './source-date-epoch.ts';
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
  const stages = new Map<number, Promise<PlannedStage>>();
  const found: LintWarning[] = [];
  const warnings = (): readonly LintWarning[] => {
    const isPlanned = ({ stage }: LintWarning): boolean => stage === undefined || stages.has(stage);
    return inOrder([...input.dockerfile.warnings, ...found].filter(isPlanned));
  };
  try {
    return { ...(await planStages(input, stages, found)), warnings: warnings() };
  } finally {
    input.onWarnings?.(warnings());
  }
}

async function planStages(
  input: PlanInput,
  stages: Map<number, Promise<PlannedStage>>,
  found: LintWarning[],
): Promise<Omit<Plan, 'warnings'>> {
  const { dockerfile } = input;
  checkSourceDateEpoch(input.buildArgs);
  const target = resolveTarget(dockerfile, input.target);
  const report: GlobalScope['report'] = (rule, { text, range, instruction = range, stage }) => {
    const line = dockerfile.file === instruction.file ? instruction.start.line : 0;
    if (isOn(dockerfile, ruleNamed(rule)!, line))
      found.push({ rule, text, range, ...(stage === undefined ? {} : { stage }) });
  };
  const scope = globalScope(input, report);
  const need = (index: number): Promise<PlannedStage> => {
    const known = stages.get(index);
    if (known) return known;
    const stage = planStage({ input, scope, stage: dockerfile.stages[index]!, need });
    stages.set(index, stage);
    return stage;
  };
  if (input.allStages) for (const { index } of dockerfile.stages) await need(index);
  await need(target);
  const planned = await Promise.all(
    [...stages.keys()].sort((a, b) => a - b).map((index) => stages.get(index)!),
  );
  reportUnusedArgs(input, scope);
  return {
    platform: input.platform,
    imagePlatform: imagePlatform(input, lineage(planned, target)),
    stages: new Map(planned.map((stage) => [stage.index, withSettings(input, target, stage)])),
    target,
    mtime: input.mtime,
    globalArgs: scope.declared,
  };
}

/** The target with what is added to its config from outside of the Dockerfile. */
function withSettings(
  { labels = new Map(), imageEnv = new Map() }: PlanInput,
  target: number,
  stage: PlannedStage,
): PlannedStage {
  if (stage.index !== target || labels.size + imageEnv.size === 0) return stage;
  const { config } = stage;
  return {
    ...stage,
    config: {
      ...config,
      ...(labels.size === 0 ? {} : { Labels: { ...config.Labels, ...Object.fromEntries(labels) } }),
      ...(imageEnv.size === 0 ? {} : { Env: withVariables(config.Env, imageEnv) }),
    },
  };
}

/** `KEY=value` entries with values as ENV would set them: a known name keeps its place. */
function withVariables(env: readonly string[] = [], added: ReadonlyMap<string, string>): readonly string[] {
  const names = env.map((entry) => entry.split('=', 1)[0]!);
  const lines = env.map((entry, i) => {
    const value = added.get(names[i]!);
    return value === undefined ? entry : `${names[i]}=${value}`;
  });
  const further = [...added].filter(([name]) => !names.includes(name));
  return [...lines, ...further.map(([name, value]) => `${name}=${value}`)];
}

function globalScope(input: PlanInput, report: GlobalScope['report']): GlobalScope {
  const { dockerfile, buildArgs } = input;
  const automatic = platformArgs(input.platform, input.buildPlatform, targetStage(input));
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
  return { lookup, used, declared, report };
}

/** A stage with those that it is built on, the lowest first. */
function lineage(stages: readonly PlannedStage[], index: number): readonly PlannedStage[] {
  const stage = stages.find((one) => one.index === index)!;
  return stage.base.type === 'stage' ? [...lineage(stages, stage.base.stage), stage] : [stage];
}

/** What TARGETSTAGE says: the target as it was asked for, else the name of the last stage. */
function targetStage({ dockerfile, target }: PlanInput): string {
  return target || (dockerfile.stages.at(-1)?.from.name ?? 'default');
}

function reportUnusedArgs({ buildArgs, dockerfile }: PlanInput, { used, report }: GlobalScope): void {
  const [first] = dockerfile.stages;
  const unused = [...buildArgs.keys()].filter(
    (name) => !used.has(name) && !isProxyArg(name) && !isBuilderArg(name),
  );
  if (unused.length === 0 || !first) return;
  const text = `build arguments that no ARG declares: ${unused.join(', ')}`;
  report('UnusedBuildArg', { text, range: first.from.range });
}
