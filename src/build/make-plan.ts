import { readFile, stat } from 'node:fs/promises';
import { resolveGitCommit } from '../context/add-git.ts';
import { once } from '../core/concurrency.ts';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { defaultPlatform, formatPlatform, parsePlatform } from '../oci/platform.ts';
import type { Image } from '../oci/types.ts';
import { plan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { openContext } from './open-context.ts';
import { probeUrl } from './probe-url.ts';
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
  await checkContext(request.context);
  const dockerfile = parseDockerfile(await readDockerfile(request.dockerfile), request.dockerfile);
  const images = new Map<string, Promise<Image>>();
  const memo = <T>(of: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const value = of.get(key) ?? make();
    of.set(key, value);
    return value;
  };
  const context = once(async () => openContext(request, session, deps));
  let save = (): void => {};
  const result = await plan({
    dockerfile,
    ...(request.target === undefined ? {} : { target: request.target }),
    buildArgs: request.buildArgs,
    platform: request.platform === undefined ? defaultPlatform() : parsePlatform(request.platform),
    buildPlatform: defaultPlatform(),
    ...(request.cacheSalt === undefined ? {} : { salt: request.cacheSalt }),
    mtime: 'keep',
    sources: {
      resolveImage: (reference, platform) =>
        memo(images, `${reference} ${formatPlatform(platform)}`, () =>
          session.resolveImage(reference, platform),
        ),
      context: async () => {
        const opened = await context();
        save = opened.save;
        return opened.tree;
      },
      url: (url, checksum) => probeUrl(url, checksum),
      gitCommit: (url) => resolveGitCommit(url),
    },
  });
  save();
  for (const { rule, text, range } of result.warnings)
    deps.emit({ type: 'warning', code: rule, text, range });
  return result;
}

async function checkContext(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const what = found ? 'is not a directory' : 'does not exist or cannot be reached';
  throw new AppError('CONTEXT', `the build context ${path} ${what}`, {
    where: { path },
    hint: 'name a directory as context; the Dockerfile is named with -f',
  });
}

async function readDockerfile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
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
