import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { loadContainer } from '../../index.ts';
import { type CommandBody, finalError } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { hasCache } from '../requests/build-request.ts';
import { workspaceRequest } from '../requests/workspace-request.ts';
import type { CommandContext } from '../run-context.ts';
import { checkAgent, coderForwarding } from './coder-forwarding.ts';
import { probeAndPrint } from './probe.ts';
import { withWorkspaceBuild } from './probe-repository.ts';
import { startContainer } from './start-container.ts';

/** `envbuilder` without a command: probes a workspace, or builds it in this container and becomes its init command. */
export const startCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  if (operands.length > 0) throw new AppError('USAGE', `unexpected argument ${operands[0]}`);
  checkAgent(options);
  if (options['get-cached-image']) return probeWorkspace(parsed, context, emit);
  if (options['clone-only']) return cloneWorkspace(parsed, context, emit);
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

/** @throws AppError USAGE without a repository; as prepareWorkspace */
async function cloneWorkspace(parsed: Parsed, context: CommandContext, emit: Emit): Promise<void> {
  const place = workspaceRequest(parsed, context);
  if (place.clone === undefined) {
    throw new AppError('USAGE', 'ENVBUILDER_CLONE_ONLY needs a repository to clone', {
      hint: 'set ENVBUILDER_GIT_URL',
    });
  }
  const { prepareWorkspace } = await loadContainer();
  await prepareWorkspace(place, { emit, signal: context.signal, addSecret: context.redactor.add });
}

async function probeWorkspace(parsed: Parsed, context: CommandContext, emit: Emit): Promise<void> {
  if (!hasCache(parsed.options, context.cwd)) {
    throw new AppError('USAGE', 'ENVBUILDER_GET_CACHED_IMAGE needs a cache to look into', {
      hint: 'set ENVBUILDER_CACHE_REPO or ENVBUILDER_LAYER_CACHE_DIR',
    });
  }
  await withWorkspaceBuild(parsed, context, emit, (request) => probeAndPrint(request, context, emit));
}
