import { formatPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/types.ts';
import type { CopyInput, Operation, Plan, PlannedMount, PlannedStage, Step, TreeSource } from './types.ts';

/** The plan of each image that a plan makes: the same stages, and a target of its own. */
export function partsOf({ others = [], ...first }: Plan): readonly Plan[] {
  return [first, ...others.map((image) => ({ ...first, ...image }))];
}

/**
 * One plan of several plans of the same Dockerfile, for one platform each. A stage that is the same in several of them, such
 * as one of the build's own platform, is there once. Stages are numbered anew, and named after their platforms.
 */
export function joinPlans(plans: readonly Plan[]): Plan {
  const stages = new Map<number, PlannedStage>();
  const known = new Map<string, number>();
  /** How many images a stage is part of. */
  const uses = new Map<number, number>();
  const images = plans.map((plan) => {
    const numbers = new Map<number, number>();
    const numberOf = (index: number): number => {
      const number = numbers.get(index) ?? add(plan, plan.stages.get(index)!, numberOf);
      numbers.set(index, number);
      return number;
    };
    for (const index of plan.stages.keys()) numberOf(index);
    for (const number of new Set(numbers.values())) uses.set(number, (uses.get(number) ?? 0) + 1);
    return { platform: plan.platform, imagePlatform: plan.imagePlatform, target: numberOf(plan.target) };
  });
  function add(plan: Plan, stage: PlannedStage, numberOf: (index: number) => number): number {
    const same = identityOf(stage, numberOf);
    const number = known.get(same);
    if (number !== undefined) return number;
    const made = renumbered(stage, { index: stages.size, numberOf });
    known.set(same, made.index);
    stages.set(made.index, {
      ...made,
      name: `${platformLabel(stage.platform, plan.platform)} ${nameOf(stage)}`,
    });
    return made.index;
  }
  // What all make alike bears the name of its own platform alone.
  const named = [...stages.values()].map((stage) =>
    uses.get(stage.index) === 1 ? stage : { ...stage, name: stage.name.replace(/->\S+/, '') },
  );
  const [first, ...others] = images;
  return {
    ...plans[0]!,
    ...first!,
    others,
    stages: new Map(named.map((stage) => [stage.index, stage])),
  };
}

/** As buildx names it: `linux/amd64`, and `linux/amd64->arm64` for what is made on the one for the other. */
function platformLabel(own: Platform, image: Platform): string {
  const [from, to] = [formatPlatform(own), formatPlatform(image)];
  if (from === to) return from;
  return `${from}->${own.os === image.os ? to.slice(to.indexOf('/') + 1) : to}`;
}

function nameOf({ name }: PlannedStage): string {
  return /^\d+$/.test(name) ? `stage-${name}` : name;
}

/** All of a stage that decides what is made of it. */
function identityOf(stage: PlannedStage, numberOf: (index: number) => number): string {
  const { base, name, platform, baseKey, steps, config, author, history } = stage;
  const below =
    base.type === 'stage'
      ? numberOf(base.stage)
      : base.type === 'image'
        ? [base.image.reference, base.image.config]
        : base.type;
  const own = { name, platform, below, baseKey, config, author, history, keys: steps.map(({ key }) => key) };
  return JSON.stringify(own);
}

interface Numbering {
  /** What the stage is numbered. */
  readonly index: number;
  readonly numberOf: (index: number) => number;
}

function renumbered(stage: PlannedStage, { index, numberOf }: Numbering): PlannedStage {
  const sourceOf = (source: TreeSource): TreeSource =>
    source.type === 'stage' ? { ...source, stage: numberOf(source.stage) } : source;
  const steps = stage.steps.map(
    (step): Step => ({
      ...step,
      stage: index,
      stages: step.stages.map(numberOf),
      operation: operationWith(step.operation, sourceOf),
    }),
  );
  return { ...stage, index, base: sourceOf(stage.base), steps };
}

function operationWith(operation: Operation, sourceOf: (source: TreeSource) => TreeSource): Operation {
  if (operation.kind === 'workdir') return operation;
  if (operation.kind === 'copy') {
    const inputs = operation.inputs.map(
      (input): CopyInput => (input.kind === 'from' ? { ...input, source: sourceOf(input.source) } : input),
    );
    return { ...operation, inputs };
  }
  const mounts = operation.mounts.map(
    (mount): PlannedMount =>
      mount.source?.type === 'stage' ? { ...mount, source: sourceOf(mount.source) } : mount,
  );
  return { ...operation, mounts };
}
