import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { userCacheDir } from '../../core/user-cache-dir.ts';
import { type BuildRequest, type DefinitionRequest, readDevcontainer } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { CommandContext } from '../run-context.ts';
import { type BuildFiles, makeRequest, type RequestDeps } from './build-request.ts';
import { contextSource } from './context-source.ts';
import { definitionOptions } from './definition-options.ts';
import { dockerfilePath, givenFolder } from './paths.ts';
import { firstPlatform, onePlatform } from './platforms.ts';
import { registrySettings } from './registries.ts';
import { userEnvironment } from './user-environment.ts';

/** Flags that say by themselves that a dev container is meant. */
const MEAN_DEVCONTAINER = ['devcontainer-json-path', 'override-config', 'additional-features'] as const;

/**
 * What `build` and `probe` ask for: a Dockerfile, or the dev container of a folder.
 * @throws AppError USAGE; what loadDefinition throws
 */
export async function requestOf(
  parsed: Parsed,
  context: CommandContext & Pick<RequestDeps, 'runtime'>,
  emit: Emit,
): Promise<BuildRequest> {
  const { options, given } = parsed;
  const files = commandFiles(parsed, context.cwd);
  const wanted = options.devcontainer || MEAN_DEVCONTAINER.some((name) => given.get(name) === 'flag');
  if (!wanted) return makeRequest(parsed, files, context);
  if (given.get('dockerfile-path') === 'flag') {
    throw new AppError('USAGE', '--devcontainer and --dockerfile-path do not go together', {
      hint: 'devcontainer.json names the Dockerfile',
    });
  }
  const { withDefinition } = await import('./start-request.ts');
  const request = makeRequest(parsed, files, context);
  const { build, devcontainer } = await readDevcontainer(definitionRequest(parsed, files.context, context), {
    onEvent: emit,
    signal: context.signal,
  });
  return withDefinition(request, { build, devcontainer: { devcontainer, folder: files.context } });
}

/** What to read a dev container of `folder` with, outside of the container that it becomes. */
export function definitionRequest(
  parsed: Parsed,
  folder: string,
  { env, cwd }: Pick<CommandContext, 'env' | 'cwd'>,
): DefinitionRequest {
  const { options, command } = parsed;
  const file = options['devcontainer-json-path'];
  const name = options['devcontainer-name'];
  return {
    workspaceFolder: folder,
    ...givenFolder(parsed),
    ...(file === undefined ? {} : { devcontainerJsonPath: file }),
    ...(name === undefined ? {} : { configuration: name }),
    ...definitionOptions(parsed, cwd),
    env: userEnvironment(env),
    inContainer: false,
    ...(command === 'read-configuration' ? onePlatform(options, 'a configuration') : firstPlatform(options)),
    ...(options.target === undefined ? {} : { target: options.target }),
    buildArgs: options['build-arg'],
    allowOutside: options['allow-outside'].map((path) => resolve(cwd, path)),
    registries: registrySettings(options, env),
    stateDir: resolve(cwd, options['state-dir'] ?? join(userCacheDir(env), 'state')),
    lockfile: options['devcontainer-lockfile'] as DefinitionRequest['lockfile'],
  };
}

/**
 * Where the context and the Dockerfile of a command lie.
 * @throws AppError USAGE when there is more than one argument
 */
export function commandFiles({ operands, options, given, command }: Parsed, cwd: string): BuildFiles {
  if (operands.length > 1) {
    throw new AppError('USAGE', `there is more than one context: ${operands.join(', ')}`, {
      hint: `see envbuilder ${command} --help`,
    });
  }
  const [operand] = operands;
  const context = resolve(cwd, operand ?? options['build-context-path'] ?? '.');
  const named = { path: options['dockerfile-path'], how: given.get('dockerfile-path') };
  const source = operand === undefined ? undefined : contextSource(operand, cwd, () => process.stdin);
  if (named.path === '-') {
    if (operand === '-')
      throw new AppError('USAGE', 'the context and the Dockerfile cannot both be standard input');
    const file = { dockerfile: '/dev/stdin', dockerfileText: readFileSync(0, 'utf8') };
    return { context, ...file, ...(source ? { contextSource: source } : {}) };
  }
  if (source) return { context, contextSource: source, dockerfile: named.path ?? 'Dockerfile' };
  return { context, dockerfile: dockerfilePath(named, { base: context, cwd }) };
}
