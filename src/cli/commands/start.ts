import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { loadContainer } from '../../index.ts';
import { type CommandBody, finalError } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { hasCache } from '../requests/build-request.ts';
import { defineBuild } from '../requests/start-definition.ts';
import { withDefinition, workspaceBuild } from '../requests/start-request.ts';
import { workspaceRequest } from '../requests/workspace-request.ts';
import type { CommandContext } from '../run-context.ts';
import { coderForwarding } from './coder-forwarding.ts';
import { probeAndPrint } from './probe.ts';
import { startContainer } from './start-container.ts';

/** `envbuilder` without a command: probes a workspace, or builds it in this container and becomes its init command. */
export const startCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  if (operands.length > 0) throw new AppError('USAGE', `unexpected argument ${operands[0]}`);
  if (options['get-cached-image']) return probeWorkspace(parsed, context, emit);
  const forwarding = await coderForwarding(parsed, context, emit);
  const both: Emit = (event) => {
    emit(event);
    forwarding.emit(event);
  };
  try {
    const command = await startContainer(parsed, context, both);
    return async () => {
      await forwarding.close();
      context.signal.throwIfAborted();
      const { becomeCommand } = await loadContainer();
      const { message, hint } = becomeCommand(command);
      throw new AppError('START_FAILED', `cannot start ${command.argv[0]}: ${message}`, hint ? { hint } : {});
    };
  } catch (error) {
    await forwarding.close(finalError(error, context.signal));
    throw error;
  }
};

/** The probe of a workspace. A repository that is not there yet is cloned to a place of its own, and removed again. */
async function probeWorkspace(parsed: Parsed, context: CommandContext, emit: Emit): Promise<void> {
  const { options } = parsed;
  const { signal, redactor, cwd } = context;
  if (!hasCache(options, cwd)) {
    throw new AppError('USAGE', 'ENVBUILDER_GET_CACHED_IMAGE needs a cache to look into', {
      hint: 'set ENVBUILDER_CACHE_REPO or ENVBUILDER_LAYER_CACHE_DIR',
    });
  }
  const { folder: workspace, clone } = workspaceRequest(parsed, context);
  const request = workspaceBuild(parsed, workspace, context);
  const { workDir, stateDir, allowOutside = [] } = request;
  const fresh = clone && (options['remote-repo-build-mode'] || !existsSync(join(workspace, '.git')));
  const { cloneForBuild } = await loadContainer();
  const made = fresh
    ? await cloneForBuild(clone, workDir, { emit, signal, addSecret: redactor.add })
    : undefined;
  try {
    const deps = { ...context, workspace, stateDir, allowOutside, emit };
    const definition = await defineBuild(parsed, made?.folder ?? workspace, deps);
    await probeAndPrint(withDefinition(request, definition), context, emit);
  } finally {
    made?.close();
  }
}
