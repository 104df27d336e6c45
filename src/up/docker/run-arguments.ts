import type { MountObject } from '../../devcontainer/types.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import type { Variables } from '../../start/environment.ts';
import type { DescribedContainer } from '../describe.ts';
import { waitingScript } from '../first-process.ts';
import type { Labels } from './containers.ts';
import { environmentFlags } from './environment-flags.ts';

/** What a container is created with, besides what is described. */
export interface RunSettings {
  /** What it is made of, by name or id, and the config of that. */
  readonly image: string;
  readonly config: ContainerConfig;
  readonly labels: Labels;
  readonly name: string | undefined;
  /** Further mounts, as docker run takes them. */
  readonly mounts: readonly string[];
  readonly gpus: boolean;
}

/**
 * The arguments of docker run, in the order of the reference implementation, so that of two the same one counts.
 * @returns env what its environment has to hold for them: values are not among the arguments, which others can read
 */
export function runArguments(
  { devcontainer, merged, config, workspaceMountText }: DescribedContainer,
  { image, config: imageConfig, labels, name, mounts, gpus }: RunSettings,
): { readonly args: readonly string[]; readonly env: Variables } {
  const { overrideCommand, entrypoints } = devcontainer;
  const ports = [config.appPort ?? []].flat() as readonly (number | string)[];
  const { flags, env } = environmentFlags(merged.containerEnv ?? {});
  const own =
    overrideCommand === false ? [...(imageConfig.Entrypoint ?? []), ...(imageConfig.Cmd ?? [])] : [];
  const args = [
    ...['run', '--detach', ...(name === undefined ? [] : ['--name', name])],
    ...ports.flatMap((port) => ['--publish', typeof port === 'number' ? `127.0.0.1:${port}:${port}` : port]),
    ...[
      ...(workspaceMountText ? [workspaceMountText] : []),
      ...(merged.mounts ?? []).map(mountText),
      ...mounts,
    ].flatMap((mount) => ['--mount', mount]),
    ...Object.entries(labels).flatMap(([label, value]) => ['--label', `${label}=${value}`]),
    ...flags,
    ...(merged.containerUser ? ['--user', merged.containerUser] : []),
    ...(config.runArgs ?? []),
    ...(gpus ? ['--gpus', 'all'] : []),
    ...(merged.init ? ['--init'] : []),
    ...(merged.privileged ? ['--privileged'] : []),
    ...(merged.capAdd ?? []).flatMap((capability) => ['--cap-add', capability]),
    ...(merged.securityOpt ?? []).flatMap((option) => ['--security-opt', option]),
    ...['--entrypoint', '/bin/sh', image, '-c'],
    ...[waitingScript(entrypoints, own).join('\n'), '-', ...own],
  ];
  return { args, env };
}

function mountText(mount: string | MountObject): string {
  if (typeof mount === 'string') return mount;
  const { type, source, target } = mount;
  return [`type=${type}`, ...(source ? [`src=${source}`] : []), `dst=${target}`].map(quoted).join(',');
}

/** A field of a mount, as docker run reads it. */
export function quoted(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
