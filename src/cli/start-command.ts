import { dirname, join, relative, resolve } from 'node:path';
import { AppError } from '../core/error.ts';
import type { CommandBody } from './command.ts';
import type { Parsed } from './parse.ts';
import { dockerfilePath, workspaceName } from './paths.ts';
import { probeAndPrint } from './probe-command.ts';
import { type BuildFiles, cacheLocation, makeRequest } from './request.ts';

/**
 * `envbuilder` without a command. Only the probe of a workspace is there so far.
 */
export const startCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  if (operands.length > 0) throw new AppError('USAGE', `unexpected argument ${operands[0]}`);
  if (!options['get-cached-image']) {
    throw new AppError('USAGE', 'the start of a container is planned, but not there yet', {
      hint: 'envbuilder build and envbuilder probe work; ENVBUILDER_GET_CACHED_IMAGE=1 probes a workspace',
    });
  }
  if (!cacheLocation(options, context.cwd)) {
    throw new AppError('USAGE', 'ENVBUILDER_GET_CACHED_IMAGE needs a cache to look into', {
      hint: 'set ENVBUILDER_CACHE_REPO or ENVBUILDER_LAYER_CACHE_DIR',
    });
  }
  const { files, warning } = workspaceFiles(parsed, context.cwd);
  if (warning) emit({ type: 'warning', code: 'USAGE', ...warning });
  await probeAndPrint(makeRequest(parsed, files, context), context, emit);
};

/**
 * The context and the Dockerfile of a workspace, and a warning when the Dockerfile's folder was probably meant as context.
 * @throws AppError DEVCONTAINER when no Dockerfile is named
 */
export function workspaceFiles(
  { options, given }: Parsed,
  cwd: string,
): { readonly files: BuildFiles; readonly warning?: { readonly text: string; readonly hint: string } } {
  const name = workspaceName(options['git-url']);
  const workspace = resolve(cwd, options['workspace-folder'] ?? join(options['workspace-base-dir'], name));
  const path = options['dockerfile-path'];
  if (path === undefined) {
    throw new AppError('DEVCONTAINER', 'building from devcontainer.json is planned, but not there yet', {
      hint: 'set ENVBUILDER_DOCKERFILE_PATH to the Dockerfile in the workspace',
    });
  }
  const dockerfile = dockerfilePath(
    { path, how: given.get('dockerfile-path') },
    { base: workspace, cwd: workspace },
  );
  const context = resolve(workspace, options['build-context-path'] ?? '.');
  const files = { context, dockerfile };
  const folder = relative(workspace, dirname(dockerfile));
  if (folder === '' || options['build-context-path'] !== undefined) return { files };
  const text = `the Dockerfile lies in ${folder}, but the build context is the workspace ${workspace}`;
  return {
    files,
    warning: { text, hint: `set ENVBUILDER_BUILD_CONTEXT_PATH=${folder} if that is the context` },
  };
}
