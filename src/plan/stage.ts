import type { SourceTree } from '../context/types.ts';
import type { Canonical } from '../core/canonical.ts';
import type { SourceRange } from '../core/error.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { parseOnbuildTrigger } from '../dockerfile/parse/base-triggers.ts';
import type { ArgInstruction, Instruction } from '../dockerfile/types.ts';
import { checkFiles, makesFiles } from './check-only.ts';
import { wholeTree } from './context-input.ts';
import { COPY_ALL, planCopy } from './copy-operation.ts';
import type { StepTitle } from './inputs.ts';
import { contentScope, digestFields, operationFields, stepKey } from './keys.ts';
import { located } from './located.ts';
import { applyMetadata, historyLine } from './metadata.ts';
import { resolveMountSource } from './mount-source.ts';
import { findContext } from './named-context.ts';
import { imageDirectory } from './paths.ts';
import { planRun } from './run-operation.ts';
import { stageBase } from './stage-base.ts';
import { checkIgnored, checkVariables, checkWorkdir } from './stage-checks.ts';
import type { StageDeps } from './stage-deps.ts';
import { createStageState, expand, type StageState, stageError, whereOf, workdirOf } from './stage-state.ts';
import type { Operation, PlannedStage } from './types.ts';

/** Plans one stage: its base, then instruction by instruction. */
export async function planStage(deps: StageDeps): Promise<PlannedStage> {
  const { stage, input } = deps;
  const replaced = findContext(input, stage.from.name);
  const base = await stageBase(deps, replaced);
  const state = createStageState(input.dockerfile, base);
  state.workdirSet = base.workdirSet ?? false;
  const triggers = (base.config.OnBuild ?? []).map((trigger) =>
    parseOnbuildTrigger(trigger, stage.from.range),
  );
  const instructions = [...triggers, ...(replaced ? [] : stage.instructions)];
  const planner = createStepPlanner(deps, state, base.key);
  if (base.files) await planner.addFiles(base.files);
  for (const instruction of instructions) await planner.apply(instruction);
  return {
    index: stage.index,
    name: stage.from.name ?? String(stage.index),
    base: base.source,
    platform: base.platform,
    baseKey: base.key,
    baseInput: base.keyInput,
    contentScope: contentScope({ salt: input.salt, platform: base.platform, mtime: input.mtime }),
    steps: state.steps,
    lastKey: planner.lastKey(),
    config: { ...state.config, Env: state.environment.config() },
    variables: state.environment.inherited(),
    declared: state.environment.names(),
    workdirSet: state.workdirSet,
    ...(state.author === undefined ? {} : { author: state.author }),
    history: state.history,
    mounts: state.mounts,
    instructions,
  };
}

function createStepPlanner(deps: StageDeps, state: StageState, base: PlannedStage['baseKey']) {
  const { stage } = deps;
  let key = base;

  async function apply(instruction: Instruction): Promise<void> {
    checkVariables(deps, state, instruction);
    if (instruction.kind === 'copy' || instruction.kind === 'add') checkIgnored(deps, state, instruction);
    if (deps.input.checkOnly && makesFiles(instruction)) return checkFiles(deps, state, instruction);
    switch (instruction.kind) {
      case 'arg':
        return applyArg(deps, state, instruction);
      case 'run': {
        const resolve = resolveMountSource(deps, state);
        return add(instruction, await planRun(state, instruction, resolve, deps.input.buildArgs));
      }
      case 'copy':
      case 'add':
        return add(instruction, await planCopy(deps, state, instruction));
      case 'workdir': {
        const written = expand(state, instruction.path, instruction.range);
        checkWorkdir(deps, state, written, instruction.range);
        const path = imageDirectory(workdirOf(state), written);
        // As Docker does, an absolute path is in the image's configuration as it is written.
        state.config = { ...state.config, WorkingDir: written.startsWith('/') ? written : path };
        const history = `WORKDIR ${state.config.WorkingDir}`;
        const operation = { kind: 'workdir', path, user: state.config.User ?? '' } as const;
        return addStep(instruction.range, { text: instruction.text, history }, operation);
      }
      default:
        state.history.push({ createdBy: applyMetadata(state, instruction) });
    }
  }

  async function add(instruction: Instruction, operation: Operation): Promise<void> {
    const about = titleOf(operation);
    if (about)
      return addStep(about.range, { text: about.title, history: about.title, titled: true }, operation);
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
    shown: { readonly text: string; readonly history: string; readonly titled?: true },
    operation: Operation,
  ): Promise<void> {
    const sources = sourceStages(operation);
    const keys = new Map<number, Canonical>();
    for (const index of sources) {
      if (index === stage.index) throw stageError(state, range, 'a stage cannot copy from itself');
      keys.set(index, (await deps.need(index)).lastKey);
    }
    const { digest, fields } = digestFields(operationFields(operation, (index) => keys.get(index)!));
    key = stepKey(key, digest);
    const index = state.steps.length;
    state.steps.push({
      stage: stage.index,
      index,
      text: shown.text,
      range,
      ...(shown.titled ? { titled: true } : {}),
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
  const pairs: [string, string | undefined][] = [];
  for (const { key, value } of instruction.args) {
    const given = input.buildArgs.get(key);
    if (given !== undefined) scope.used.add(key);
    const resolved =
      given ?? (value === undefined ? scope.lookup(key) : expand(state, value, instruction.range));
    state.environment.setArg(key, resolved);
    pairs.push([key, resolved]);
  }
  state.history.push({ createdBy: historyLine('ARG', pairs) });
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

/** The title of a step that mounts files which have one. */
function titleOf(operation: Operation): StepTitle | undefined {
  if (operation.kind !== 'run') return undefined;
  const sources = operation.mounts.map(({ source }) =>
    source?.type === 'deferred' ? source.about : undefined,
  );
  return sources.find((about) => about !== undefined);
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
