import type { Devcontainer } from '../devcontainer/types.ts';
import type { ContainerConfig } from '../oci/types.ts';

/**
 * The command of a container's first process: it waits for a line on standard input, so that it is known before it begins,
 * starts what features bring along, becomes the image's own command where it is not to be replaced, and else waits.
 */
export function firstProcess(
  { entrypoints, overrideCommand }: Pick<Devcontainer, 'entrypoints' | 'overrideCommand'>,
  { Entrypoint, Cmd }: Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>,
): readonly string[] {
  const own = overrideCommand === false ? [...(Entrypoint ?? []), ...(Cmd ?? [])] : [];
  const script = ['read -r _ || exit 0', 'exec </dev/null', ...waitingScript(entrypoints, own)];
  return ['/bin/sh', '-c', script.join('\n'), '-', ...own];
}

/** The lines of a first process from then on. @param own the command that it becomes, as its arguments, or nothing */
export function waitingScript(
  entrypoints: Devcontainer['entrypoints'],
  own: readonly string[],
): readonly string[] {
  return [
    "trap 'exit 0' TERM",
    ...entrypoints.map(({ command }) => String(command)),
    ...(own.length > 0 ? ['exec "$@"'] : []),
    // Whoever waits takes the exit codes of orphans as well.
    'while :; do sleep 86400 & wait $!; done',
  ];
}
