import { stat } from 'node:fs/promises';
import { resolveGitCommit } from '../context/add-git.ts';
import { type FoundDockerfile, readDockerfileText } from '../context/dockerfile-text.ts';
import { EMPTY_TREE } from '../context/inline-tree.ts';
import { checkNamed } from '../context/repository.ts';
import { AppError, type AppErrorDetails, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { given } from '../core/given.ts';
import { failOnFindings, isOn } from '../dockerfile/lint/lint.ts';
import { ruleNamed } from '../dockerfile/lint/rules.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import { checkFrontEnd } from '../dockerfile/syntax.ts';
import type { Dockerfile } from '../dockerfile/types.ts';
import { defaultPlatform, formatPlatform, parsePlatform } from '../oci/platform.ts';
import type { Image } from '../oci/types.ts';
import type { PlanInput } from '../plan/inputs.ts';
import { joinPlans } from '../plan/join.ts';
import { plan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { fetchContexts } from './fetch-contexts.ts';
import { loadMainIgnore, type OpenContext, openContext, openNamedContext, rootsOf } from './open-context.ts';
import { probeUrl } from './probe-url.ts';
import { imageKey } from './registry-access.ts';
import type { Session } from './session.ts';
import { timesOf } from './times.ts';
import type { BuildRequest } from './types.ts';

/** A Dockerfile that was read and parsed. */
export interface LoadedDockerfile {
  readonly dockerfile: Dockerfile;
  readonly content: Buffer | string;
  /** With the name that the file has: its ignore file has the same. */
  readonly request: BuildRequest;
}

/**
 * Reads and parses the Dockerfile of a request.
 * @param emit gets the warning about another front end
 * @throws AppError DOCKERFILE when the file is missing or wrong; OUTSIDE
 */
export function loadDockerfile(given: BuildRequest, emit: Emit): LoadedDockerfile {
  const { path, content } =
    given.dockerfileText === undefined
      ? readDockerfile(given.dockerfile, rootsOf(given))
      : { path: given.dockerfile, content: given.dockerfileText };
  const { buildArgs, ignoreSyntax: ignore = false } = given;
  const other = checkFrontEnd(content, path, { buildArgs, ignore });
  const dockerfile = parseDockerfile(content, path, buildArgs.get('BUILDKIT_DOCKERFILE_CHECK'));
  if (other && isOn(dockerfile, ruleNamed(other.rule)!, other.range.start.line))
    emit({ type: 'warning', code: other.rule, rule: true, text: other.text, range: other.range });
  return { dockerfile, content, request: { ...given, dockerfile: path } };
}

/**
 * Reads the Dockerfile and plans the build; the same for a build and a probe.
 * @param platforms of the images, where there are several; otherwise there is one, for the request's
 * @throws AppError CONTEXT when there is no such directory, DOCKERFILE when the file is missing or wrong, and what plan()
 * throws
 */
export async function makePlan(
  given: BuildRequest,
  session: Session,
  deps: PlanDeps,
  platforms: readonly string[] = [],
): Promise<Plan> {
  const request = await fetchContexts(given, session, deps.signal);
  const roots = rootsOf(request);
  await checkContext(request.context, roots);
  for (const [name, context] of request.contexts)
    if (context.type === 'dir') await checkContext(context.path, roots, name);
  const loaded = loadDockerfile(request, deps.emit);
  if (platforms.length === 0) return planLoaded(loaded, session, deps);
  return joinPlans(await planEach(loaded, platforms, session, deps));
}

/** The plans for several platforms, which share what is looked at. @throws AppError that of the first one that has any */
async function planEach(
  loaded: LoadedDockerfile,
  platforms: readonly string[],
  session: Session,
  deps: PlanDeps,
): Promise<readonly Plan[]> {
  const said = new Set<string>();
  const emit: Emit = (event) => {
    const text = event.type === 'warning' && event.rule ? JSON.stringify(event) : undefined;
    if (text !== undefined && said.has(text)) return;
    if (text !== undefined) said.add(text);
    deps.emit(event);
  };
  const sources = openSources(loaded.request, session, deps);
  const planned = await Promise.allSettled(
    platforms.map((platform) =>
      planWith({ ...loaded, request: { ...loaded.request, platform } }, sources, { emit }),
    ),
  );
  sources.save();
  return planned.map((one, i) => {
    if (one.status === 'fulfilled') return one.value;
    deps.signal.throwIfAborted();
    throw forPlatform(one.reason, platforms[i]!);
  });
}

/** The error of one of several images. */
function forPlatform(error: unknown, platform: string): unknown {
  if (!(error instanceof AppError) || error.message.includes(platform)) return error;
  const { code, message, hint, cause, where, missing } = error;
  const details = given<AppErrorDetails>({ hint, cause, where, missing });
  return new AppError(code, `${platform}: ${message}`, details);
}

/** What planning needs besides a session. */
export interface PlanDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly readOnly: boolean;
}

/**
 * Plans the build of a Dockerfile that was read.
 * @param scope a check looks at no file of a context, and at all stages where no target is named
 * @throws AppError as makePlan
 */
export async function planLoaded(
  loaded: LoadedDockerfile,
  session: Session,
  deps: PlanDeps,
  scope: PlanScope = {},
): Promise<Plan> {
  const sources = openSources(loaded.request, session, deps, scope);
  const result = await planWith(loaded, sources, { ...deps, scope });
  sources.save();
  return result;
}

type PlanScope = Pick<PlanInput, 'checkOnly' | 'allStages'>;

/** What plans read, each of it once. */
interface PlanSources {
  readonly of: PlanInput['sources'];
  /** Keeps what was found out of contexts; to be called when all is planned. */
  save(): void;
}

function openSources(
  request: BuildRequest,
  session: Session,
  deps: PlanDeps,
  scope: PlanScope = {},
): PlanSources {
  const images = new Map<string, Promise<Image>>();
  const memo = <T>(of: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const value = of.get(key) ?? make();
    of.set(key, value);
    return value;
  };
  const trees = new Map<string, Promise<OpenContext>>();
  const opened: OpenContext[] = [];
  const openOnce = async (name: string | undefined): Promise<OpenContext> => {
    const tree = await openTree(name, request, session, deps);
    opened.push(tree);
    return tree;
  };
  const urls = new Map<string, ReturnType<PlanInput['sources']['url']>>();
  const commits = new Map<string, ReturnType<PlanInput['sources']['gitCommit']>>();
  return {
    save: () => {
      for (const tree of opened) tree.save();
    },
    of: {
      resolveImage: (reference, platform) =>
        memo(images, imageKey(reference, platform), () => session.resolveImage(reference, platform)),
      layoutImage: (layout, platform) =>
        memo(images, `${layout.path} ${layout.version} ${formatPlatform(platform)}`, () =>
          session.resolveLayout(layout, platform),
        ),
      ignored: () => loadMainIgnore(request),
      context: async (name) =>
        scope.checkOnly ? EMPTY_TREE : (await memo(trees, name ?? '', () => openOnce(name))).tree,
      url: (url, checksum) =>
        memo(urls, `${url} ${checksum ?? ''}`, () =>
          probeUrl(url, checksum, {
            store: request.noCache ? undefined : session.cacheStore,
            writeTo: request.noCache || deps.readOnly ? undefined : session.ownStore,
            salt: request.cacheSalt,
            trust: session.trust,
            access: session.sources,
            signal: deps.signal,
          }),
        ),
      gitCommit: (url) => memo(commits, url, () => resolveGitCommit(url, session.sources, deps.signal)),
    },
  };
}

async function planWith(
  { dockerfile, request }: LoadedDockerfile,
  sources: PlanSources,
  { emit, scope = {} }: { readonly emit: Emit; readonly scope?: PlanScope },
): Promise<Plan> {
  const result = await plan({
    dockerfile,
    ...scope,
    onWarnings: (warnings) => {
      for (const { rule, text, range } of warnings)
        emit({ type: 'warning', code: rule, rule: true, text, range });
    },
    ...(request.target === undefined ? {} : { target: request.target }),
    buildArgs: request.buildArgs,
    contexts: request.contexts,
    labels: request.labels,
    ...(request.imageEnv === undefined ? {} : { imageEnv: request.imageEnv }),
    platform: request.platform === undefined ? defaultPlatform() : parsePlatform(request.platform),
    platformAsked: request.platform !== undefined,
    buildPlatform: defaultPlatform(),
    ...(request.cacheSalt === undefined ? {} : { salt: request.cacheSalt }),
    mtime: timesOf(request),
    sources: sources.of,
  });
  failOnFindings(dockerfile, result.warnings);
  return result;
}

function openTree(
  name: string | undefined,
  request: BuildRequest,
  session: Session,
  deps: { readonly readOnly: boolean },
): OpenContext {
  if (name === undefined) return openContext(request, session, deps);
  const context = request.contexts.get(name);
  if (context?.type !== 'dir') throw new AppError('INTERNAL', `the context "${name}" is no directory`);
  return openNamedContext({ name, ...context }, request, session, deps);
}

async function checkContext(path: string, roots: readonly string[], name?: string): Promise<void> {
  const property = name === undefined ? 'the build context' : `the build context "${name}"`;
  checkNamed(path, roots, { property });
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const what = found ? 'is not a directory' : 'does not exist or cannot be reached';
  throw new AppError(
    'CONTEXT',
    `the build context ${name === undefined ? '' : `"${name}" `}${path} ${what}`,
    {
      where: { path },
      hint:
        name === undefined
          ? 'name a directory as context; the Dockerfile is named with -f'
          : `name a directory, or an image as ${name}=docker-image://REFERENCE`,
    },
  );
}

function readDockerfile(path: string, roots: readonly string[]): FoundDockerfile {
  try {
    return readDockerfileText(path, roots);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing)
      throw toAppError(error, 'DOCKERFILE', `cannot read the Dockerfile ${path}`, { where: { path } });
    throw new AppError('DOCKERFILE', `there is no Dockerfile at ${path}`, {
      where: { path },
      hint: 'name it with -f, or name the context directory that holds it',
    });
  }
}
