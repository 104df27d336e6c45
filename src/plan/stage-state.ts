import { AppError, type SourceRange, type Where } from '../core/error.ts';
import { expandWord, expandWords } from '../dockerfile/expand/expand.ts';
import type { Dockerfile, MountSpec } from '../dockerfile/types.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { createStageEnvironment, type StageEnvironment } from './environment.ts';
import { imageDirectory } from './paths.ts';
import type { HistoryLine, Step } from './types.ts';

/** The PATH that Docker gives to a container whose image sets none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

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

/** @param config the base's execution config; its ONBUILD triggers are not inherited */
export function createStageState(
  dockerfile: Dockerfile,
  config: ContainerConfig,
  author?: string,
): StageState {
  const environment = createStageEnvironment(config.Env ?? []);
  const { OnBuild: _, ...rest } = config;
  return {
    dockerfile,
    environment,
    steps: [],
    history: [],
    mounts: [],
    config: rest,
    author,
    workdirSet: false,
    cmdSet: false,
  };
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
