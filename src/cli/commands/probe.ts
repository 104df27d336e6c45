import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import {
  type BuildRequest,
  build,
  buildIndex,
  type ProbeResult,
  parseGitUrl,
  probe,
  probeIndex,
} from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { requestOf } from '../requests/command-request.ts';
import { containerEnvironment } from '../requests/container-environment.ts';
import { indexPlatforms } from '../requests/platforms.ts';
import { runtimeOfImage } from '../requests/runtime.ts';
import type { CommandContext } from '../run-context.ts';
import { answerFormat, answerText, missingAnswer, type ProbeAnswer } from './probe-answer.ts';

/** `envbuilder probe`: prints the cached image, or the whole answer as JSON. */
export const probeCommand: CommandBody = async (given, context, emit) => {
  const format = answerFormat(given.options);
  const parsed = withRepository(given, context.cwd);
  const runtime = await runtimeOfImage(parsed, context, emit);
  const deps = { ...context, ...(runtime ? { runtime } : {}) };
  // What files are named relative to.
  let place = context.cwd;
  const platforms = indexPlatforms(parsed.options);
  const ask = (request: BuildRequest): Promise<ProbeResult> => probeImage(request, context, emit, platforms);
  const inFolder = (folder: string): void => {
    place = folder;
  };
  const result = async (): Promise<ProbeResult> => {
    if (parsed.operands.length > 0 || !parsed.options['git-url'])
      return ask(await requestOf(parsed, deps, emit));
    const { withWorkspaceBuild } = await import('./probe-repository.ts');
    return withWorkspaceBuild(parsed, deps, emit, ask, inFolder);
  };
  if (format === 'text') return printImage(await result(), context);
  const env = startEnvironment(parsed, context);
  const print = (answer: ProbeAnswer): void => void context.stdout.write(answerText(answer, format));
  try {
    const { reference } = await result();
    print({ exists: true, image: reference, env, missing: null });
  } catch (error) {
    context.signal.throwIfAborted();
    const missing = missingAnswer(error, place, Boolean(parsed.options['fallback-image']));
    print({ exists: false, image: null, env, missing });
    if (!parsed.options['missing-ok'] && format !== 'terraform') throw error;
  }
};

/**
 * With `--devcontainer` an argument that is the address of a repository is what `--git-url` names: it is defined as a start
 * defines it. Without, it is the context of a build.
 */
function withRepository(parsed: Parsed, cwd: string): Parsed {
  const [address, ...more] = parsed.operands;
  if (!parsed.options.devcontainer || address === undefined || more.length > 0) return parsed;
  if (existsSync(resolve(cwd, address))) return parsed;
  const transport = parseGitUrl(address)?.transport;
  if (transport === undefined || (transport === 'local' && !address.startsWith('file:'))) return parsed;
  return {
    ...parsed,
    operands: [],
    options: { ...parsed.options, 'git-url': address },
    given: new Map([...parsed.given, ['git-url', 'flag']]),
  };
}

/** A flag names the Dockerfile from the current directory; in the container it is named from the context. */
function startEnvironment(parsed: Parsed, { env, cwd }: CommandContext): ProbeAnswer['env'] {
  const all = containerEnvironment(parsed, env);
  const file = parsed.options['dockerfile-path'];
  if (parsed.options['git-url'] || file === undefined || parsed.given.get('dockerfile-path') !== 'flag')
    return all;
  const context = resolve(cwd, parsed.operands[0] ?? parsed.options['build-context-path'] ?? '.');
  return { ...all, ENVBUILDER_DOCKERFILE_PATH: relative(context, resolve(cwd, file)) };
}

/**
 * Probes. An image that was never pushed although all its layers are there is pushed when the request asks for it; nothing is
 * built for that.
 * @throws AppError CACHE_MISS, NOT_PUSHED
 */
async function probeImage(
  request: BuildRequest,
  { signal }: Pick<CommandContext, 'signal'>,
  emit: Emit,
  platforms: readonly string[] = [],
): Promise<ProbeResult> {
  const run = { onEvent: emit, signal };
  const ask = (): Promise<ProbeResult> =>
    platforms.length > 0 ? probeIndex({ ...request, platforms }, run) : probe(request, run);
  try {
    return await ask();
  } catch (error) {
    if (!request.push || !(error instanceof AppError) || error.code !== 'NOT_PUSHED') throw error;
    const push = { ...request, noCache: false, outputs: [], failOnPushError: true, onlyCached: true };
    await (platforms.length > 0 ? buildIndex({ ...push, platforms }, run) : build(push, run));
    return ask();
  }
}

/** Probes, and prints the line that names the image. @throws AppError as probeImage */
export async function probeAndPrint(
  request: BuildRequest,
  context: Pick<CommandContext, 'stdout' | 'signal'>,
  emit: Emit,
): Promise<void> {
  printImage(await probeImage(request, context, emit), context);
}

function printImage({ reference }: ProbeResult, { stdout }: Pick<CommandContext, 'stdout'>): void {
  stdout.write(`ENVBUILDER_CACHED_IMAGE=${reference}\n`);
}
