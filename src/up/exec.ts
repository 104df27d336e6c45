import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { given } from '../core/given.ts';
import type { DefinitionRequest, UserEnvProbe } from '../devcontainer/types.ts';
import { findAccount } from '../start/account.ts';
import type { Variables } from '../start/environment.ts';
import { createRunInside, type InsideOptions } from './container.ts';
import { describeContainer, environmentOf } from './describe.ts';
import { runningEnvironment } from './environment.ts';
import { remoteEnvironment } from './remote-environment.ts';
import { serviceCommand } from './services/command.ts';
import { readUpProject } from './services/read.ts';
import { rightsOf } from './services/rights.ts';
import { findService } from './services/store.ts';
import type { ContainerStore } from './store.ts';
import type { ContainerRecord, FoundContainer } from './types.ts';

export interface ExecRequest {
  /** For the dev container as it is described now. */
  readonly definition: DefinitionRequest;
  readonly argv: readonly string[];
  /** A service beside the dev container, in place of that. */
  readonly service?: string;
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
export async function exec(found: FoundContainer, request: ExecRequest, deps: ExecDeps): Promise<number> {
  if (request.service !== undefined) return execInService(found.record, request.service, request, deps);
  const { record, pid } = found;
  const { store, emit, signal, ...inside } = deps;
  const { name, ids, image, configFile } = record;
  if (pid === undefined || image === undefined) {
    throw new AppError('START_FAILED', `the container ${name} does not run`, {
      hint: 'envbuilder up starts it',
    });
  }
  const described = describeContainer(configFile, image, request.definition);
  const { devcontainer, privileged, capabilities, dropped } = described;
  const { rootfs, log } = store.place(name);
  const container = { pid, ids, privileged, capabilities, dropped, log };
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
  // As docker exec has it.
  const terminal = process.stdin.isTTY && process.stdout.isTTY ? { TERM: 'xterm' } : {};
  const whole = { argv: request.argv, env: { ...terminal, ...env }, cwd, uid, gid, groups };
  const result = await runAs(whole, inside);
  if (result.failure) emit({ type: 'warning', code: 'START_FAILED', text: result.failure.message });
  return result.exitCode;
}

async function execInService(
  { name: container, ids, configFile }: ContainerRecord,
  name: string,
  { definition, argv, user, workdir, remoteEnv }: ExecRequest,
  { store, emit, signal: _, ...inside }: ExecDeps,
): Promise<number> {
  const project = readUpProject(configFile, definition);
  const service = project?.others.find((one) => one.name === name);
  const found = service && findService(store.place(container).directory, name);
  if (!found?.process || found.record.image === undefined) {
    const others = (project?.others ?? []).map((one) => one.name).join(', ') || 'none';
    throw new AppError('START_FAILED', `the service ${name} does not run beside ${container}`, {
      hint: service ? 'envbuilder up starts it' : `services beside it: ${others}`,
    });
  }
  const { place, process, record } = found;
  const meant = {
    ...service!,
    ...given({ user, workingDir: workdir }),
    environment: { ...service!.environment, ...remoteEnv },
  };
  const command = serviceCommand(meant, { image: record.image!, rootfs: place.rootfs, argv });
  const run = createRunInside({ pid: process.pid, ids, log: place.log, ...rightsOf(service!) });
  const result = await run(command, inside);
  if (result.failure) emit({ type: 'warning', code: 'START_FAILED', text: result.failure.message });
  return result.exitCode;
}
