import type { SourceTree } from '../context/types.ts';
import { AppError } from '../core/error.ts';
import { expandWord } from '../dockerfile/expand/expand.ts';
import { resolveBase } from '../dockerfile/graph.ts';
import { parsePlatform } from '../oci/platform.ts';
import type { ContainerConfig, Image, Platform } from '../oci/types.ts';
import { DEFAULT_PATH, type InheritedVariables } from './environment.ts';
import { baseKey } from './keys.ts';
import { located } from './located.ts';
import { contextImage, contextStage, type FoundContext, findContext, onlyMounts } from './named-context.ts';
import { orStage } from './or-stage.ts';
import { checkPlatform } from './stage-checks.ts';
import type { StageDeps } from './stage-deps.ts';
import { whereOf } from './stage-state.ts';
import type { PlannedStage } from './types.ts';

/** What a stage starts from. */
export interface StageBase {
  readonly source: PlannedStage['base'];
  readonly platform: Platform;
  readonly config: ContainerConfig;
  readonly key: PlannedStage['baseKey'];
  readonly keyInput: PlannedStage['baseInput'];
  readonly author?: string;
  /** Files of a named context that the base consists of; they become the stage's first layer. */
  readonly files?: SourceTree;
  /** Whether there is a WORKDIR in it. */
  readonly workdirSet?: boolean;
  /** Of a base that is a stage; its ARGs are inherited too (Docker's manual, "Build variables", scoping). */
  readonly variables?: InheritedVariables;
}

/**
 * What FROM names: an image, an earlier stage, nothing, or a named context.
 * @param replaced the named context that has the stage's own name, and so stands for the whole stage
 * @throws AppError DOCKERFILE for a name that is empty or cannot be a base; what `sources` throws, with the place
 */
export async function stageBase(deps: StageDeps, replaced: FoundContext | undefined): Promise<StageBase> {
  return replaced ? contextBase(deps, replaced) : namedBase(deps);
}

async function namedBase(deps: StageDeps): Promise<StageBase> {
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
  const source = resolveBase(input.dockerfile, stage.index, name);
  if (source.type === 'stage') return baseOfStage(deps, source);
  if (source.type === 'scratch') return scratchBase(deps);
  if (resolveBase(input.dockerfile, stage.index, name.toLowerCase()).type === 'stage') {
    throw new AppError('DOCKERFILE', `FROM ${name} names no stage, and an image's name has no upper case`, {
      where,
      hint: `stages are named in lower case here, whatever AS says: write FROM ${name.toLowerCase()}`,
    });
  }
  const context = findContext(input, name);
  if (context) return contextBase(deps, context);
  const base = await imageBase(deps, name);
  if (base.source.type === 'image') {
    const facts = { name, image: base.source.image, wanted: stagePlatform(deps) };
    checkPlatform(deps, facts, from.range);
  }
  return base;
}

async function baseOfStage(
  { need }: StageDeps,
  source: { readonly type: 'stage'; readonly stage: number },
): Promise<StageBase> {
  const planned = await need(source.stage);
  return {
    source,
    platform: planned.platform,
    config: planned.config,
    key: planned.lastKey,
    keyInput: planned.baseInput,
    workdirSet: planned.workdirSet,
    variables: planned.variables,
    ...(planned.author === undefined ? {} : { author: planned.author }),
  };
}

/** What a named context is as a base: a stage, an image, or a directory's files on top of nothing. */
async function contextBase(deps: StageDeps, context: FoundContext): Promise<StageBase> {
  const { input, stage } = deps;
  const where = whereOf(input.dockerfile, stage.from.range);
  if (context.type === 'image' || context.type === 'layout')
    return resolvedBase(deps, await located(where, () => contextImage(input, context, stagePlatform(deps))));
  if (context.type === 'target') return baseOfStage(deps, contextStage(input, context, stage.index, where));
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

function scratchBase(deps: StageDeps): StageBase {
  const { salt, mtime } = deps.input;
  const platform = stagePlatform(deps);
  const config: ContainerConfig = { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' };
  const keyInput = { salt, mtime, platform, diffIds: [], config };
  return { source: { type: 'scratch' }, platform, config, key: baseKey(keyInput), keyInput };
}

async function imageBase(deps: StageDeps, name: string): Promise<StageBase> {
  const { input, stage } = deps;
  const where = whereOf(input.dockerfile, stage.from.range);
  return resolvedBase(
    deps,
    await orStage(name, input.dockerfile.stages.slice(0, stage.index), () =>
      located(where, () => input.sources.resolveImage(name, stagePlatform(deps))),
    ),
  );
}

function resolvedBase(deps: StageDeps, image: Image): StageBase {
  const platform = stagePlatform(deps);
  const { salt, mtime } = deps.input;
  const config = image.config.config ?? {};
  const keyInput = { salt, platform, mtime, diffIds: image.config.rootfs.diff_ids, config };
  return {
    source: { type: 'image', image },
    platform: imagePlatform(image.config, platform),
    config,
    key: baseKey(keyInput),
    keyInput,
    ...(image.config.author === undefined ? {} : { author: image.config.author }),
  };
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
