import { AppError, type SourceRange, type Where } from '../core/error.ts';
import { expandWord, expandWords } from '../dockerfile/expand/expand.ts';
import type { Dockerfile, MountSpec } from '../dockerfile/types.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { createStageEnvironment, type InheritedVariables, type StageEnvironment } from './environment.ts';
import { imageDirectory } from './paths.ts';
import type { HistoryLine, Step } from './types.ts';

const DEFAULT_SHELL = ['/bin/sh', '-c'] as const;

/** A stage while its instructions are applied in order. */
export interface StageState {
  readonly dockerfile: Dockerfile;
  readonly environment: StageEnvironment;
  readonly steps: Step[];
  readonly history: HistoryLine[];
  /** Of RUNs, when they are only checked. */
  readonly mounts: MountSpec[];
  config: ContainerConfig;
  author: string | undefined;
  /** Whether a WORKDIR came before, in this stage or in those that it is built on. */
  workdirSet: boolean;
  /** Whether this stage itself set CMD: an ENTRYPOINT then leaves it alone. */
  cmdSet: boolean;
}

/** @param base with its execution config, whose ONBUILD triggers are not inherited */
export function createStageState(
  dockerfile: Dockerfile,
  base: {
    readonly config: ContainerConfig;
    readonly author?: string;
    readonly variables?: InheritedVariables;
  },
): StageState {
  const { OnBuild: _, ...config } = base.config;
  const environment = createStageEnvironment(config.Env ?? [], base.variables);
  return {
    dockerfile,
    environment,
    steps: [],
    history: [],
    mounts: [],
    config: withAbsoluteWorkdir(config),
    author: base.author,
    workdirSet: false,
    cmdSet: false,
  };
}

/** A relative one is below itself, as Docker has it. */
function withAbsoluteWorkdir(config: ContainerConfig): ContainerConfig {
  const { WorkingDir: directory } = config;
  if (!directory || directory.startsWith('/')) return config;
  return { ...config, WorkingDir: imageDirectory(imageDirectory('/', directory), directory) };
}

/** The shell that a shell form runs under. */
export function shellOf(state: StageState): readonly string[] {
  return state.config.Shell?.length ? state.config.Shell : DEFAULT_SHELL;
}

/** The directory that relative paths are relative to, and that a RUN starts in. */
export function workdirOf(state: StageState): string {
  return imageDirectory('/', state.config.WorkingDir || '/');
}

/** Where an instruction stands, with the source line that errors show. */
export function whereOf(dockerfile: Dockerfile, range: SourceRange): Where {
  const line = range.file === dockerfile.file ? dockerfile.lines[range.start.line - 1] : undefined;
  return line === undefined ? { range } : { range, sourceLine: line };
}

/** Expands one word against the stage's variables. */
export function expand(state: StageState, word: string, range: SourceRange): string {
  return expandWord(
    word,
    state.environment.lookup,
    state.dockerfile.escape,
    whereOf(state.dockerfile, range),
  );
}

/** Expands words that may each become several or none. */
export function expandAll(state: StageState, words: readonly string[], range: SourceRange): string[] {
  const where = whereOf(state.dockerfile, range);
  return words.flatMap((word) => expandWords(word, state.environment.lookup, state.dockerfile.escape, where));
}

/** An error in an instruction of this stage. */
export function stageError(state: StageState, range: SourceRange, message: string, hint?: string): AppError {
  return new AppError('DOCKERFILE', message, {
    where: whereOf(state.dockerfile, range),
    ...(hint === undefined ? {} : { hint }),
  });
}
