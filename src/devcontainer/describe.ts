import type { Environment } from '../core/environment.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { collectHooks } from './lifecycle.ts';
import { mergeConfig } from './merge.ts';
import { substitute } from './substitute.ts';
import type { Devcontainer, MetadataEntry } from './types.ts';

/** What a dev container is described from. */
export type DescribeInput = Pick<
  Devcontainer,
  | 'configFile'
  | 'name'
  | 'metadata'
  | 'scope'
  | 'settings'
  | 'initializeCommand'
  | 'workspaceFolder'
  | 'workspaceLink'
  | 'ungranted'
> & {
  /** What `${localEnv:…}` sees. */
  readonly env: Environment;
  /** The image that it is, or will be, made from. */
  readonly image: ContainerConfig;
};

/**
 * Merges metadata into a dev container. Variables of containerEnv see the image's environment, all others the
 * container's.
 * @throws AppError DEVCONTAINER for a variable without a name
 */
export function describeDevcontainer(input: DescribeInput): Devcontainer {
  const { metadata, scope, settings, env, image, initializeCommand, ...rest } = input;
  const imageEnv = environmentOf(image.Env);
  const local = metadata.map(({ entry }) => substitute(entry, { ...scope, localEnv: env }));
  const { containerEnv: ownEnv } = mergeConfig({}, local);
  const containerEnv = {
    ...settings.below.env,
    ...substitute(ownEnv ?? {}, { containerEnv: imageEnv }),
    ...settings.above.env,
  };
  const entries: readonly MetadataEntry[] = substitute(local, {
    containerEnv: { ...imageEnv, ...containerEnv },
  });
  const merged = mergeConfig({}, entries);
  const hooks = collectHooks(entries, (_, index) => metadata[index]!.origin);
  const containerUser =
    settings.above.user || merged.containerUser || settings.below.user || image.User || 'root';
  const initialize =
    initializeCommand === undefined ? [] : [{ origin: rest.configFile ?? '', command: initializeCommand }];
  return {
    ...rest,
    ...(initializeCommand === undefined ? {} : { initializeCommand }),
    containerEnv,
    remoteEnv: merged.remoteEnv ?? {},
    containerUser,
    remoteUser: merged.remoteUser || userOf(containerUser),
    updateRemoteUserUID: merged.updateRemoteUserUID ?? true,
    userEnvProbe: merged.userEnvProbe ?? 'loginInteractiveShell',
    hooks: { ...hooks, initializeCommand: initialize },
    waitFor: merged.waitFor ?? 'updateContentCommand',
    ...(merged.overrideCommand === undefined ? {} : { overrideCommand: merged.overrideCommand }),
    entrypoints: entries.flatMap(({ entrypoint }, index) =>
      entrypoint ? [{ origin: metadata[index]!.origin, command: entrypoint }] : [],
    ),
    customizations: merged.customizations ?? {},
    metadata,
    scope,
    settings,
  };
}

/** `KEY=value` lines as an object; the last of a name wins. */
function environmentOf(lines: readonly string[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (lines ?? []).map((line) => {
      const equals = line.indexOf('=');
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

/** The user of a `user:group`. */
function userOf(user: string): string {
  return user.split(':')[0] || 'root';
}
