import type { Canonical } from '../core/canonical.ts';
import { AppError } from '../core/error.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { expandWord } from '../dockerfile/expand.ts';
import { resolveBase as resolveBaseName } from '../dockerfile/graph.ts';
import { parseOnbuildTrigger } from '../dockerfile/onbuild.ts';
import type { ArgInstruction, Instruction, Stage } from '../dockerfile/types.ts';
import { parsePlatform } from '../oci/platform.ts';
import type { ContainerConfig, Platform } from '../oci/types.ts';
import { planCopy } from './copy-operation.ts';
import type { PlanInput } from './inputs.ts';
import { baseKey, contentScope, digestFields, operationFields, stepKey, treeSourceKey } from './keys.ts';
import { located } from './located.ts';
import { applyMetadata } from './metadata.ts';
import { resolveMountSource } from './mount-source.ts';
import { imageDirectory } from './paths.ts';
import { planRun } from './run-operation.ts';
import {
  createStageState,
  DEFAULT_PATH,
  expand,
  type StageState,
  stageError,
  whereOf,
  workdirOf,
} from './stage-state.ts';
import type { Operation, PlannedStage, TreeSource } from './types.ts';

/** ARGs before the first FROM, with build arguments and platforms applied. */
export interface GlobalScope {
  lookup(name: string): string | undefined;
  /** Names of build arguments that some ARG declared; filled as stages are planned. */
  readonly used: Set<string>;
}

export interface StageDeps {
  readonly input: PlanInput;
  readonly scope: GlobalScope;
  readonly stage: Stage;
  /** Plans another stage first. */
  readonly need: (stage: number) => Promise<PlannedStage>;
}

interface Base {
  readonly source: PlannedStage['base'];
  readonly platform: Platform;
  readonly config: ContainerConfig;
  readonly key: PlannedStage['baseKey'];
  readonly author?: string;
  /** ARGs that the base is a stage with; they are inherited (Docker's manual, "Build variables", scoping). */
  readonly args?: ReadonlyMap<string, string>;
}

/** Plans one stage: its base, then instruction by instruction. */
export async function planStage(deps: StageDeps): Promise<PlannedStage> {
  const { stage, input } = deps;
  const base = await resolveBase(deps);
  const state = createStageState(input.dockerfile, base.config, base.author);
  for (const [name, value] of base.args ?? []) state.environment.setArg(name, value);
  const triggers = (base.config.OnBuild ?? []).map((trigger) =>
    parseOnbuildTrigger(trigger, stage.from.range),
  );
  const instructions = [...triggers, ...stage.instructions];
  const planner = createStepPlanner(deps, state, base.key);
  for (const instruction of instructions) await planner.apply(instruction);
  const env = [...state.environment.env].map(([name, value]) => `${name}=${value}`);
  return {
    index: stage.index,
    name: stage.from.name ?? String(stage.index),
    base: base.source,
    platform: base.platform,
    baseKey: base.key,
    contentScope: contentScope({ salt: input.salt, platform: base.platform, mtime: input.mtime }),
    steps: state.steps,
    lastKey: planner.lastKey(),
    config: { ...state.config, Env: env },
    args: new Map(state.environment.args),
    ...(state.author === undefined ? {} : { author: state.author }),
    history: state.history,
    instructions,
  };
}

async function resolveBase(deps: StageDeps): Promise<Base> {
  const { input, scope, stage } = deps;
  const { from } = stage;
  const where = whereOf(input.dockerfile, from.range);
  const word = (text: string): string => expandWord(text, scope.lookup, input.dockerfile.escape, where);
  const name = word(from.image);
  if (name === '') {
    throw new AppError('DOCKERFILE', `FROM ${from.image} is empty after expansion`, {
      where,
      hint: 'give the ARG a default before the first FROM, or pass it with --build-arg',
    });
  }
  const platform = from.platform === undefined ? input.platform : parsePlatform(word(from.platform));
  const common = { salt: input.salt, platform, mtime: input.mtime };
  const source = resolveBaseName(input.dockerfile, stage.index, name);
  if (source.type === 'stage') {
    const planned = await deps.need(source.stage);
    return {
      source,
      platform: planned.platform,
      config: planned.config,
      key: planned.lastKey,
      args: planned.args,
      ...(planned.author === undefined ? {} : { author: planned.author }),
    };
  }
  if (source.type === 'scratch') {
    const config: ContainerConfig = { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };
    return { source, platform, config, key: baseKey({ ...common, diffIds: [], config }) };
  }
  const image = await located(where, () => input.sources.resolveImage(name, platform));
  const config = image.config.config ?? {};
  return {
    source: { type: 'image', image },
    platform: imagePlatform(image.config, platform),
    config,
    key: baseKey({ ...common, diffIds: image.config.rootfs.diff_ids, config }),
    ...(image.config.author === undefined ? {} : { author: image.config.author }),
  };
}

function createStepPlanner(deps: StageDeps, state: StageState, base: PlannedStage['baseKey']) {
  const { stage } = deps;
  let key = base;

  async function apply(instruction: Instruction): Promise<void> {
    switch (instruction.kind) {
      case 'arg':
        return applyArg(deps, state, instruction);
      case 'run': {
        const resolve = resolveMountSource(deps, state);
        return add(instruction, await planRun(state, instruction, resolve));
      }
      case 'copy':
      case 'add':
        return add(instruction, await planCopy(deps, state, instruction));
      case 'workdir': {
        const path = imageDirectory(workdirOf(state), expand(state, instruction.path, instruction.range));
        state.config = { ...state.config, WorkingDir: path };
        return add(instruction, { kind: 'workdir', path, user: state.config.User ?? '' });
      }
      default:
        applyMetadata(state, instruction);
        state.history.push({ createdBy: instruction.text });
    }
  }

  async function add(instruction: Instruction, operation: Operation): Promise<void> {
    const sources = sourceStages(operation);
    const keys = new Map<number, Canonical>();
    for (const index of sources) {
      if (index === stage.index)
        throw stageError(state, instruction.range, 'a stage cannot copy from itself');
      keys.set(index, (await deps.need(index)).lastKey);
    }
    const sourceKey = (source: TreeSource): Canonical => treeSourceKey(source, (index) => keys.get(index)!);
    const { digest, fields } = digestFields(operationFields(operation, sourceKey));
    key = stepKey(key, digest);
    const index = state.steps.length;
    const { range } = instruction;
    const text = shownText(instruction);
    state.steps.push({
      stage: stage.index,
      index,
      text,
      range,
      operation,
      key,
      operationDigest: digest,
      fields,
      stages: sources,
    });
    state.history.push({ createdBy: historyText(instruction, operation), step: index });
  }

  return { apply, lastKey: () => key };
}

function applyArg({ input, scope }: StageDeps, state: StageState, instruction: ArgInstruction): void {
  for (const { key, value } of instruction.args) {
    const given = input.buildArgs.get(key);
    if (given !== undefined) scope.used.add(key);
    const resolved =
      given ?? (value === undefined ? scope.lookup(key) : expand(state, value, instruction.range));
    if (resolved !== undefined) state.environment.setArg(key, resolved);
  }
  state.history.push({ createdBy: instruction.text });
}

/** The stages that an operation reads files from. */
function sourceStages(operation: Operation): number[] {
  const found = new Set<number>();
  const add = (source: { type: string; stage?: number } | undefined): void => {
    if (source?.type === 'stage') found.add(source.stage!);
  };
  if (operation.kind === 'run') for (const mount of operation.mounts) add(mount.source);
  if (operation.kind === 'copy')
    for (const input of operation.inputs) if (input.kind === 'from') add(input.source);
  return [...found];
}

/** An instruction's text for images and the cache; unlike Docker's it does not keep the credentials of an ADD's URL. */
function shownText({ kind, text }: Instruction): string {
  return kind === 'add' ? maskUrlCredentials(text) : text;
}

/** As Docker writes it: the command after SHELL, with the ARGs it saw. Values are as visible there as in the Dockerfile. */
function historyText(instruction: Instruction, operation: Operation): string {
  if (operation.kind !== 'run') return shownText(instruction);
  const args = [...operation.args].map(([name, value]) => `${name}=${value}`);
  const prefix = args.length > 0 ? `|${args.length} ${args.join(' ')} ` : '';
  return `RUN ${prefix}${operation.argv.join(' ')}`;
}

function imagePlatform(
  config: { os: string; architecture: string; variant?: string },
  fallback: Platform,
): Platform {
  const { os, architecture, variant } = config;
  return {
    os: os || fallback.os,
    architecture: architecture || fallback.architecture,
    ...(variant ? { variant } : {}),
  };
}
