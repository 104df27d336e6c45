import type { ProjectService } from '../devcontainer/compose/services.ts';
import type { Devcontainer } from '../devcontainer/types.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { commandOf } from './services/command.ts';

/**
 * The command of a container's first process: it waits for a line on standard input, so that it is known before it begins,
 * starts what features bring along, becomes the image's own command where it is not to be replaced, and else waits.
 * @param service the Compose service that it is: its command runs as well where nobody says anything of it, and beside what
 * waits, so that the container stays when it ends
 */
export function firstProcess(
  { entrypoints, overrideCommand }: Pick<Devcontainer, 'entrypoints' | 'overrideCommand'>,
  image: Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>,
  service?: Pick<ProjectService, 'entrypoint' | 'command'>,
): readonly string[] {
  const runs = overrideCommand === false || (overrideCommand === undefined && service !== undefined);
  const own = runs ? commandOf(service ?? {}, image) : [];
  const script = [
    'read -r _ || exit 0',
    'exec </dev/null',
    ...waitingScript(entrypoints, own, overrideCommand === undefined),
  ];
  return ['/bin/sh', '-c', script.join('\n'), '-', ...own];
}

/**
 * The lines of a first process from then on.
 * @param own the command that it becomes, as its arguments, or nothing
 * @param beside whether that runs beside it instead
 */
export function waitingScript(
  entrypoints: Devcontainer['entrypoints'],
  own: readonly string[],
  beside = false,
): readonly string[] {
  return [
    "trap 'exit 0' TERM",
    ...entrypoints.map(({ command }) => String(command)),
    ...(own.length === 0 ? [] : [beside ? '"$@" &' : 'exec "$@"']),
    // Whoever waits takes the exit codes of orphans as well. An image or its PATH may have no `sleep`, which the shell tells.
    'while :; do sleep 86400 & wait $!; case $? in 126 | 127) exit 127 ;; esac; done',
  ];
}
