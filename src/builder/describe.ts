import { AppError, type SourceRange } from '../core/error.ts';
import { descriptionOf } from '../dockerfile/lint/descriptions.ts';
import { inOrder } from '../dockerfile/lint/lint.ts';
import { pageOf, ruleNamed } from '../dockerfile/lint/rules.ts';
import type { Dockerfile } from '../dockerfile/types.ts';
import { type Outline, outlineOf } from '../plan/outline.ts';
import type { BuildDeps } from './build.ts';
import { fetchContexts } from './fetch-contexts.ts';
import { type LoadedDockerfile, loadDockerfile, planLoaded } from './make-plan.ts';
import { createSession, type Session } from './session.ts';
import type { BuildRequest } from './types.ts';

/** Something that the checks found. */
export interface CheckWarning {
  readonly rule: string;
  /** What the rule says. */
  readonly description: string;
  /** Docker's page about it, where it is one of Docker's. */
  readonly url?: string;
  /** Whose rule it is; those of ours do not make a check fail. */
  readonly origin: 'buildkit' | 'ours';
  readonly text: string;
  readonly range: SourceRange;
}

/** What a check of a Dockerfile came to. */
export interface DockerfileCheck {
  readonly file: string;
  readonly content: string;
  /** In the order of the file. */
  readonly warnings: readonly CheckWarning[];
  /** Why it cannot be built, where that is so. */
  readonly error?: AppError;
}

/**
 * Applies all checks to a Dockerfile: to all stages, or to those that the target needs. Of images only their configs are
 * read, and of the context only the ignore file.
 * @throws AppError what has no place in the file, such as a registry that cannot be reached
 */
export async function checkDockerfile(request: BuildRequest, deps: BuildDeps): Promise<DockerfileCheck> {
  const warnings: CheckWarning[] = [];
  const emit: BuildDeps['emit'] = (event) => {
    if (event.type !== 'warning' || !event.rule || !event.range) return deps.emit(event);
    warnings.push(checkWarning(event.code, event.text, event.range));
  };
  const { file, content } = { file: request.dockerfile, content: request.dockerfileText ?? '' };
  let loaded: LoadedDockerfile | undefined;
  const result = (error?: AppError): DockerfileCheck => ({
    file: loaded?.request.dockerfile ?? file,
    content: loaded?.content.toString() ?? content,
    warnings: inOrder(warnings),
    ...(error === undefined ? {} : { error }),
  });
  try {
    return await withContexts(request, { ...deps, emit }, async (fetched, session) => {
      loaded = loadDockerfile(fetched, emit);
      await planToCheck(loaded, session, { ...deps, emit }, request.target === undefined);
      return result();
    });
  } catch (error) {
    if (error instanceof AppError && error.where?.range) return result(error);
    throw error;
  }
}

function checkWarning(name: string, text: string, range: SourceRange): CheckWarning {
  const rule = ruleNamed(name);
  const hasPage = rule?.origin === 'buildkit' && name !== 'InvalidBaseImagePlatform';
  return {
    rule: name,
    description: rule?.doc ?? '',
    ...(hasPage ? { url: `https://docs.docker.com/go/dockerfile/rule/${pageOf(name)}/` } : {}),
    origin: rule?.origin ?? 'ours',
    text,
    range,
  };
}

/** An outline, and the Dockerfile that it is of. */
export interface DescribedDockerfile<T> {
  readonly content: string;
  readonly described: T;
}

/**
 * What can be given to the build of a target: arguments, secrets, SSH agents.
 * @throws AppError as a plan, but for files, which nobody looks at
 */
export async function describeTarget(
  request: BuildRequest,
  deps: BuildDeps,
): Promise<DescribedDockerfile<Outline>> {
  const quiet = { ...deps, emit: withoutFindings(deps.emit) };
  return withContexts(request, quiet, async (fetched, session) => {
    const loaded = loadDockerfile(fetched, quiet.emit);
    const plan = await planToCheck(loaded, session, quiet, false);
    return { content: loaded.content.toString(), described: outlineOf(loaded.dockerfile, plan) };
  });
}

/** A stage that can be built. */
export interface TargetDescription {
  readonly name?: string;
  readonly description?: string;
  /** Whether it is built where no target is named. */
  readonly default: boolean;
  /** As it is written. */
  readonly base: string;
  readonly platform?: string;
  readonly range: SourceRange;
}

/** All stages of a Dockerfile, which is only read. @throws AppError DOCKERFILE, and CONTEXT where it has to be fetched */
export async function listTargets(
  request: BuildRequest,
  deps: BuildDeps,
): Promise<DescribedDockerfile<readonly TargetDescription[]>> {
  const quiet = { ...deps, emit: withoutFindings(deps.emit) };
  return withContexts(request, quiet, async (fetched) => {
    const { dockerfile, content } = loadDockerfile(fetched, quiet.emit);
    return { content: content.toString(), described: targetsOf(dockerfile) };
  });
}

function targetsOf({ stages, comments }: Dockerfile): TargetDescription[] {
  return stages.map(({ index, from }) => {
    const { name, image, platform, range } = from;
    const description = name === undefined ? undefined : descriptionOf(comments.get(range.start.line), name);
    return {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      default: index === stages.length - 1,
      base: image,
      ...(platform === undefined ? {} : { platform }),
      range,
    };
  });
}

/** Findings are for those who check or build. */
function withoutFindings(emit: BuildDeps['emit']): BuildDeps['emit'] {
  return (event) => {
    if (event.type !== 'warning' || !event.rule) emit(event);
  };
}

function planToCheck(loaded: LoadedDockerfile, session: Session, deps: BuildDeps, allStages: boolean) {
  return planLoaded(loaded, session, { ...deps, readOnly: true }, { checkOnly: true, allStages });
}

async function withContexts<T>(
  request: BuildRequest,
  deps: BuildDeps,
  work: (fetched: BuildRequest, session: Session) => Promise<T>,
): Promise<T> {
  const session = createSession(request, deps);
  try {
    return await work(await fetchContexts(request, session, deps.signal), session);
  } finally {
    await session.close();
  }
}
