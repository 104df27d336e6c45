import { stat } from 'node:fs/promises';
import { resolveGitCommit } from '../context/add-git.ts';
import { checkNamed, readDefinition } from '../context/repository.ts';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import { defaultPlatform, parsePlatform } from '../oci/platform.ts';
import type { Image } from '../oci/types.ts';
import { plan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { type OpenContext, openContext, openNamedContext, rootsOf } from './open-context.ts';
import { probeUrl } from './probe-url.ts';
import { imageKey } from './registry-access.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';

/**
 * Reads the Dockerfile and plans the build; the same for a build and a probe.
 * @throws AppError CONTEXT when there is no such directory, DOCKERFILE when the file is missing or wrong, and what plan()
 * throws
 */
export async function makePlan(
  request: BuildRequest,
  session: Session,
  deps: { readonly emit: Emit; readonly signal: AbortSignal; readonly readOnly: boolean },
): Promise<Plan> {
  const roots = rootsOf(request);
  await checkContext(request.context, roots);
  for (const [name, context] of request.contexts)
    if (context.type === 'dir') await checkContext(context.path, roots, name);
  const text = request.dockerfileText ?? readDockerfile(request.dockerfile, roots);
  const dockerfile = parseDockerfile(text, request.dockerfile);
  const images = new Map<string, Promise<Image>>();
  const memo = <T>(of: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const value = of.get(key) ?? make();
    of.set(key, value);
    return value;
  };
  const trees = new Map<string, Promise<OpenContext>>();
  const result = await plan({
    dockerfile,
    ...(request.target === undefined ? {} : { target: request.target }),
    buildArgs: request.buildArgs,
    contexts: request.contexts,
    labels: request.labels,
    platform: request.platform === undefined ? defaultPlatform() : parsePlatform(request.platform),
    buildPlatform: defaultPlatform(),
    ...(request.cacheSalt === undefined ? {} : { salt: request.cacheSalt }),
    mtime: 'keep',
    sources: {
      resolveImage: (reference, platform) =>
        memo(images, imageKey(reference, platform), () => session.resolveImage(reference, platform)),
      context: async (name) =>
        (await memo(trees, name ?? '', async () => openTree(name, request, session, deps))).tree,
      url: (url, checksum) =>
        probeUrl(url, checksum, {
          store: request.noCache ? undefined : session.cacheStore,
          writeTo: request.noCache || deps.readOnly ? undefined : session.ownStore,
          salt: request.cacheSalt,
          trust: session.trust,
          access: session.sources,
          signal: deps.signal,
        }),
      gitCommit: (url) => resolveGitCommit(url, session.sources, deps.signal),
    },
  });
  for (const opened of trees.values()) (await opened).save();
  for (const { rule, text, range } of result.warnings)
    deps.emit({ type: 'warning', code: rule, text, range });
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
  return openNamedContext({ name, path: context.path }, request, session, deps);
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

function readDockerfile(path: string, roots: readonly string[]): Buffer {
  const named = { property: 'the Dockerfile', by: 'operator' } as const;
  try {
    return readDefinition(path, roots, named);
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
