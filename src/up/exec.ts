import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { DefinitionRequest, UserEnvProbe } from '../devcontainer/types.ts';
import { findAccount } from '../start/account.ts';
import type { Variables } from '../start/environment.ts';
import { createRunInside, type InsideOptions } from './container.ts';
import { describeContainer, environmentOf } from './describe.ts';
import { runningEnvironment } from './environment.ts';
import { remoteEnvironment } from './remote-environment.ts';
import type { ContainerStore } from './store.ts';
import type { FoundContainer } from './types.ts';

export interface ExecRequest {
  /** For the dev container as it is described now. */
  readonly definition: DefinitionRequest;
  readonly argv: readonly string[];
  /** In place of the remoteUser. */
  readonly user?: string;
  /** In place of the workspace's folder. */
  readonly workdir?: string;
  readonly remoteEnv: Variables;
  readonly defaultProbe?: UserEnvProbe;
}

export interface ExecDeps extends InsideOptions {
  readonly store: ContainerStore;
  readonly emit: Emit;
  /** Ends what is done before the command is started. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command in a container that runs, with our own terminal or streams.
 * @returns its exit code, 128 and more after a signal
 * @throws AppError START_FAILED where the container does not run, or there is no such user
 */
export async function exec(
  { record, pid }: FoundContainer,
  request: ExecRequest,
  { store, emit, signal, ...inside }: ExecDeps,
): Promise<number> {
  const { name, ids, image, configFile } = record;
  if (pid === undefined || image === undefined) {
    throw new AppError('START_FAILED', `the container ${name} does not run`, {
      hint: 'envbuilder up starts it',
    });
  }
  const described = describeContainer(configFile, image, request.definition);
  const { devcontainer, privileged, capabilities } = described;
  const { rootfs, log } = store.place(name);
  const container = { pid, ids, privileged, capabilities, log };
  const runAs = createRunInside(container);
  const known = { image: environmentOf(image), described, hostname: name };
  const account = findAccount(rootfs, request.user ?? devcontainer.remoteUser, 'the user of the command');
  const env = await remoteEnvironment(
    {
      ...{ devcontainer, account, env: await runningEnvironment(container, known, signal) },
      remoteEnv: request.remoteEnv,
      defaultProbe: request.defaultProbe,
    },
    { runAs, emit, signal },
  );
  const { uid, gid, groups } = account;
  const cwd = request.workdir ?? described.workspaceFolder;
  const result = await runAs({ argv: request.argv, env, cwd, uid, gid, groups }, inside);
  if (result.failure) emit({ type: 'warning', code: 'START_FAILED', text: result.failure.message });
  return result.exitCode;
}
