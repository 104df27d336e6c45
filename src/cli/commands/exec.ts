import { isatty } from 'node:tty';
import { AppError } from '../../core/error.ts';
import { given } from '../../core/given.ts';
import { loadUp, type UserEnvProbe } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { containerDefinition, namedContainer, openContainers } from '../requests/container-request.ts';
import { fileOfContainer, namedInDocker, openDocker, refuseLabels } from '../requests/docker-request.ts';

/** Those that are not the terminal's own doing. */
const HANDED_ON = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** `envbuilder exec`: runs a command in a container, and ends with its exit code. */
export const execCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  if (operands.length === 0)
    throw new AppError('USAGE', 'no command is named', { hint: 'write envbuilder exec [options] COMMAND' });
  const { exec, execInDocker } = await loadUp();
  const requestFor = (configFile: string, folder: string) => ({
    definition: { ...containerDefinition(parsed, folder, context), devcontainerJsonPath: configFile },
    argv: operands,
    remoteEnv: Object.fromEntries(options['remote-env']),
    ...given({
      service: options.service,
      user: options.user,
      workdir: options.workdir,
      defaultProbe: options['default-user-env-probe'] as UserEnvProbe | undefined,
    }),
  });
  if (options.docker) {
    const docker = await openDocker(parsed, context);
    const container = await namedInDocker(parsed, docker, undefined, context);
    const { configFile, folder } = await fileOfContainer(parsed, container, context);
    const request = { ...requestFor(configFile, folder), configFile };
    context.exitWith?.(await execInDocker(container, request, { docker, emit, ...handOn() }));
    return;
  }
  refuseLabels(parsed);
  const store = await openContainers(options, context);
  const found = await namedContainer(parsed, store, undefined, context);
  const { configFile, folder } = found.record;
  context.exitWith?.(await exec(found, requestFor(configFile, folder), { store, emit, ...handOn() }));
};

/** Signals end what is done before the command is there, and are its own from then on. */
function handOn() {
  const controller = new AbortController();
  let inside: (() => number | undefined) | undefined;
  const send = (signal: NodeJS.Signals): void => {
    if (!inside) return controller.abort(new AppError('ABORTED', 'interrupted'));
    const pid = inside();
    try {
      if (pid !== undefined) process.kill(pid, signal);
    } catch {
      // It has ended by itself in the meantime.
    }
  };
  for (const signal of HANDED_ON) process.on(signal, send);
  // Where the command shares our terminal, it gets it as we do; one of its own gets the key.
  process.on('SIGINT', (signal) => (inside && isatty(0) && !isatty(1) ? undefined : send(signal)));
  return {
    signal: controller.signal,
    started: (find: () => number | undefined) => {
      inside = find;
    },
  };
}
