import { relative, resolve } from 'node:path';
import { given } from '../../core/given.ts';
import {
  type BuildRequest,
  type Definition,
  parseReference,
  type StartRequest,
  splitWords,
  type UserEnvProbe,
} from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { CommandContext } from '../run-context.ts';
import { makeRequest, type RequestDeps } from './build-request.ts';
import { dotfilesOf } from './dotfiles.ts';
import { givesContainerUser, type Source } from './start-definition.ts';
import { userEnvironment } from './user-environment.ts';

/** Where our program and state lie in a container. */
export const OWN_DIR = '/.envbuilder';

/** Docker and Kubernetes mount it, but not every runtime does. */
const RESOLVER = '/etc/resolv.conf';

/**
 * What the options ask a start for.
 * @throws AppError USAGE for arguments that cannot be split
 */
export function startRequest(
  { options }: Parsed,
  {
    env,
    stdout,
    stdinIsTerminal,
  }: Pick<CommandContext, 'env' | 'stdout'> & { readonly stdinIsTerminal: boolean },
  workspaceFolder: string,
): StartRequest {
  const args = options['init-args'];
  return {
    root: '/',
    ownDir: OWN_DIR,
    workspaceFolder,
    env: userEnvironment(env),
    remoteRepoBuild: options['remote-repo-build-mode'],
    skipRebuild: options['skip-rebuild'],
    exitOnBuildFailure: options['exit-on-build-failure'],
    runAttach: options['run-attach'],
    initCommand: options['init-command'],
    initArgs: args === undefined ? ['-c', options['init-script']] : splitWords(args, 'ENVBUILDER_INIT_ARGS'),
    terminal: stdinIsTerminal && stdout.isTTY === true,
    // Set to nothing counts as not set.
    ...given<Partial<StartRequest>>({
      initUser: options['init-user'] || undefined,
      fallbackImage: options['fallback-image'] || undefined,
      exportEnvFile: options['export-env-file'] || undefined,
      postStartScript: options['post-start-script-path'] || undefined,
      setupScript: options['setup-script'] || undefined,
      dotfiles: dotfilesOf(options),
      waitFor: options['wait-for'],
      userEnvProbe: options['user-env-probe'] as UserEnvProbe | undefined,
    }),
  };
}

/**
 * The part of a workspace's build request that the options decide; a definition adds what is built.
 * @throws AppError USAGE
 */
export function workspaceBuild(parsed: Parsed, workspace: string, deps: RequestDeps): BuildRequest {
  const { options } = parsed;
  const files = { context: workspace, dockerfile: resolve(workspace, 'Dockerfile') };
  const { target: _, ...request } = makeRequest(parsed, files, deps);
  if (parsed.command !== 'start') return request;
  parseReference(`cache:${options['push-tag']}`);
  return {
    ...request,
    cacheTags: [options['push-tag']],
    workDir: options['work-dir'] === undefined ? `${OWN_DIR}/work` : request.workDir,
    stateDir: options['state-dir'] === undefined ? `${OWN_DIR}/state` : request.stateDir,
  };
}

/** The request with what is built; values of the options win over those of the definition. */
export function withDefinition(
  request: BuildRequest,
  { build, devcontainer: source }: Definition<Source>,
): BuildRequest {
  const file = source?.devcontainer.configFile;
  // What a pushed image says about itself, besides its config; the same in a build and in its probe.
  const start =
    source && file !== undefined
      ? {
          devcontainerFile: relative(source.folder, file),
          ...(givesContainerUser(source.devcontainer) ? { ownContainerUser: true } : {}),
        }
      : {};
  return {
    ...request,
    ...build,
    ...(request.runtime ? { runtime: { ...request.runtime, start } } : {}),
    buildArgs: new Map([...(build.buildArgs ?? []), ...request.buildArgs]),
    contexts: new Map([...(build.contexts ?? []), ...request.contexts]),
    labels: new Map([...(build.labels ?? []), ...request.labels]),
  };
}

/** The same, to be built in the root file system of our own container. */
export function inPlace(request: BuildRequest, workspace: string, { options }: Parsed): BuildRequest {
  const { cache, context, dockerfile, contexts, workDir, stateDir } = request;
  const keep = [
    workspace,
    RESOLVER,
    ...options['ignore-paths'].map((path) => resolve('/', path)),
    ...(cache?.type === 'directory' ? [cache.path] : []),
    ...[options['override-config'], options['secrets-file']].flatMap((path) =>
      path ? [resolve('/', path)] : [],
    ),
    ...(options['base-image-cache-dir'] === undefined ? [] : [resolve('/', options['base-image-cache-dir'])]),
    context,
    dockerfile,
    workDir,
    stateDir,
    ...[...contexts.values()].flatMap((named) => (named.type === 'dir' ? [named.path] : [])),
  ];
  const isOwn = (path: string): boolean => path === OWN_DIR || path.startsWith(`${OWN_DIR}/`);
  return {
    ...request,
    backend: {
      kind: 'inplace',
      root: '/',
      ownDir: OWN_DIR,
      keep: [...new Set(keep)].filter((path) => path !== '/' && !isOwn(path)),
    },
    outputs: [{ type: 'inplace' }],
  };
}
