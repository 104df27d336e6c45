import type { SourceTree } from '../context/types.ts';
import type { Canonical } from '../core/canonical.ts';
import { AppError, type SourceRange } from '../core/error.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { expandWord } from '../dockerfile/expand.ts';
import { resolveBase as resolveBaseName } from '../dockerfile/graph.ts';
import { parseOnbuildTrigger } from '../dockerfile/onbuild.ts';
import type { ArgInstruction, Instruction, Stage } from '../dockerfile/types.ts';
import { parsePlatform } from '../oci/platform.ts';
import type { ContainerConfig, Platform } from '../oci/types.ts';
import { COPY_ALL, planCopy, wholeTree } from './copy-operation.ts';
import type { PlanInput } from './inputs.ts';
import { baseKey, contentScope, digestFields, operationFields, stepKey, treeSourceKey } from './keys.ts';
import { located } from './located.ts';
import { applyMetadata } from './metadata.ts';
import { resolveMountSource } from './mount-source.ts';
import { type FoundContext, findContext, onlyMounts } from './named-context.ts';
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
  /** Files of a named context that the base consists of; they become the stage's first layer. */
  readonly files?: SourceTree;
  /** ARGs that the base is a stage with; they are inherited (Docker's manual, "Build variables", scoping). */
  readonly args?: ReadonlyMap<string, string>;
}

/** Plans one stage: its base, then instruction by instruction. */
export async function planStage(deps: StageDeps): Promise<PlannedStage> {
  const { stage, input } = deps;
  const replaced = findContext(input, stage.from.name);
  const base = replaced ? await contextBase(deps, replaced) : await resolveBase(deps);
  const state = createStageState(input.dockerfile, base.config, base.author);
  for (const [name, value] of base.args ?? []) state.environment.setArg(name, value);
  const triggers = (base.config.OnBuild ?? []).map((trigger) =>
    parseOnbuildTrigger(trigger, stage.from.range),
  );
  const instructions = [...triggers, ...(replaced ? [] : stage.instructions)];
  const planner = createStepPlanner(deps, state, base.key);
  if (base.files) await planner.addFiles(base.files);
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
  const name = expandWord(from.image, scope.lookup, input.dockerfile.escape, where);
  if (name === '') {
    throw new AppError('DOCKERFILE', `FROM ${from.image} is empty after expansion`, {
      where,
      hint: 'give the ARG a default before the first FROM, or pass it with --build-arg',
    });
  }
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
  if (source.type === 'scratch') return scratchBase(deps);
  const context = findContext(input, name);
  return context ? contextBase(deps, context) : imageBase(deps, name);
}

/** What a named context is as a base: an image, or a directory's files on top of nothing. */
async function contextBase(deps: StageDeps, context: FoundContext): Promise<Base> {
  if (context.type === 'image') return imageBase(deps, context.reference);
  const { input, stage } = deps;
  const where = whereOf(input.dockerfile, stage.from.range);
  if (context.type === 'deferred') throw new AppError('DOCKERFILE', onlyMounts(context.name), { where });
  return {
    ...scratchBase(deps),
    files: await located(where, () => input.sources.context(context.name)),
  };
}

function stagePlatform({ input, scope, stage: { from } }: StageDeps): Platform {
  if (from.platform === undefined) return input.platform;
  const where = whereOf(input.dockerfile, from.range);
  return parsePlatform(expandWord(from.platform, scope.lookup, input.dockerfile.escape, where));
}

function scratchBase(deps: StageDeps): Base {
  const { salt, mtime } = deps.input;
  const platform = stagePlatform(deps);
  const config: ContainerConfig = { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };
  const key = baseKey({ salt, mtime, platform, diffIds: [], config });
  return { source: { type: 'scratch' }, platform, config, key };
}

async function imageBase(deps: StageDeps, name: string): Promise<Base> {
  const { input, stage } = deps;
  const where = whereOf(input.dockerfile, stage.from.range);
  const platform = stagePlatform(deps);
  const { salt, mtime } = input;
  const image = await located(where, () => input.sources.resolveImage(name, platform));
  const config = image.config.config ?? {};
  return {
    source: { type: 'image', image },
    platform: imagePlatform(image.config, platform),
    config,
    key: baseKey({ salt, platform, mtime, diffIds: image.config.rootfs.diff_ids, config }),
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
    const shown = { text: shownText(instruction), history: historyText(instruction, operation) };
    return addStep(instruction.range, shown, operation);
  }

  /** All files of a tree, as `FROM` with a directory means it. */
  async function addFiles(tree: SourceTree): Promise<void> {
    const { range } = stage.from;
    const where = whereOf(state.dockerfile, range);
    const inputs = [await located(where, () => wholeTree(tree, where))];
    const { text } = stage.from;
    return addStep(range, { text, history: text }, { ...COPY_ALL, inputs });
  }

  async function addStep(
    range: SourceRange,
    shown: { readonly text: string; readonly history: string },
    operation: Operation,
  ): Promise<void> {
    const sources = sourceStages(operation);
    const keys = new Map<number, Canonical>();
    for (const index of sources) {
      if (index === stage.index) throw stageError(state, range, 'a stage cannot copy from itself');
      keys.set(index, (await deps.need(index)).lastKey);
    }
    const sourceKey = (source: TreeSource): Canonical => treeSourceKey(source, (index) => keys.get(index)!);
    const { digest, fields } = digestFields(operationFields(operation, sourceKey));
    key = stepKey(key, digest);
    const index = state.steps.length;
    state.steps.push({
      stage: stage.index,
      index,
      text: shown.text,
      range,
      operation,
      key,
      operationDigest: digest,
      fields,
      stages: sources,
    });
    state.history.push({ createdBy: shown.history, step: index });
  }

  return { apply, addFiles, lastKey: () => key };
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
