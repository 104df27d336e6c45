import { AppError } from '../../core/error.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import { DEFAULT_PATH } from '../../plan/environment.ts';
import { findAccount } from '../../start/account.ts';
import type { Variables } from '../../start/environment.ts';
import type { UserCommand } from '../../sys/run-as.ts';
import { environmentOf } from '../describe.ts';
import type { RestartPolicy } from './loop.ts';

/** What a service runs: an entry point of its own takes the command of the image away, as under Docker. */
export function commandOf(
  { entrypoint, command }: Pick<ProjectService, 'entrypoint' | 'command'>,
  { Entrypoint = [], Cmd = [] }: ContainerConfig,
): readonly string[] {
  const usual = entrypoint === undefined || entrypoint.length === 0 ? Cmd : [];
  return [...(entrypoint ?? Entrypoint), ...(command ?? usual)];
}

/**
 * A command of a service, as its user.
 * @param argv in place of its own
 * @throws AppError START_FAILED where its image has no such user, or nobody says what it runs
 */
export function serviceCommand(
  service: ProjectService,
  {
    image,
    rootfs,
    argv = commandOf(service, image),
  }: {
    readonly image: ContainerConfig;
    readonly rootfs: string;
    readonly argv?: readonly string[];
  },
): UserCommand {
  const { name, user, workingDir } = service;
  if (argv.length === 0)
    throw new AppError('START_FAILED', `nobody says what the service ${name} runs`, {
      where: service.whereOf(''),
      hint: 'add "command" to it; its image has none',
    });
  const account = findAccount(rootfs, user || image.User || 'root', `the user of the service ${name}`);
  const { uid, gid, groups, home } = account;
  return {
    argv,
    env: { HOME: home, ...serviceEnvironment(service, image) },
    cwd: workingDir || image.WorkingDir || '/',
    ...{ uid, gid, groups },
  };
}

function serviceEnvironment(service: ProjectService, image: ContainerConfig): Variables {
  return {
    PATH: DEFAULT_PATH,
    HOSTNAME: hostnameOf(service),
    ...environmentOf(image),
    ...service.environment,
  };
}

/** The name of a service's machine. */
export function hostnameOf({ name, all }: ProjectService): string {
  return typeof all.hostname === 'string' && all.hostname !== '' ? all.hostname : name;
}

/** @throws AppError DEVCONTAINER */
export function restartOf({ name, all, whereOf }: ProjectService): RestartPolicy {
  const text = String(all.restart ?? 'no');
  const [, when, most = '0'] = /^(no|false|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(text) ?? [];
  if (when === 'on-failure') return { when, most: Number(most) };
  if (when !== undefined)
    return { when: when === 'always' || when === 'unless-stopped' ? 'always' : 'no', most: 0 };
  throw new AppError('DEVCONTAINER', `restart of the service ${name} is "${text}"`, {
    where: whereOf('restart'),
    hint: 'write no, always, unless-stopped, on-failure or on-failure:NUMBER',
  });
}
