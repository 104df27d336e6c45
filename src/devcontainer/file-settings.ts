import { buildForm } from './build-form.ts';
import { readConfig } from './read-config.ts';
import { applyRunArgs } from './run-args.ts';
import type { DefinitionRequest, Devcontainer } from './types.ts';
import { ungrantedOfConfig } from './ungranted.ts';
import { workspaceLink } from './workspace-folder.ts';

/** What a devcontainer.json says and the label of an image built from it does not. */
export type FileSettings = Pick<Devcontainer, 'scope' | 'settings' | 'ungranted' | 'workspaceLink'>;

/**
 * The folder, the variables and the user that a container of a pushed image gets from the file itself: `workspaceFolder`,
 * `runArgs`, the Compose service, and what `${devcontainerId}` stands for. They are not part of the image, because they
 * may come from the environment of whoever starts the container.
 * @param file absolute path of devcontainer.json in the workspace
 * @throws AppError DEVCONTAINER or DOCKERFILE when it cannot be understood
 */
export function fileSettings(
  file: string,
  {
    env,
    secrets = [],
    ...place
  }: Pick<
    DefinitionRequest,
    | 'workspaceFolder'
    | 'workspaceFixed'
    | 'devcontainerDir'
    | 'overrideConfig'
    | 'env'
    | 'allowOutside'
    | 'secrets'
  >,
): FileSettings {
  // The build has warned already.
  const quiet = (): void => {};
  const read = readConfig(file, { ...place, devcontainerJsonPath: file, env, inContainer: true }, quiet);
  const { config, scope } = read;
  const form = buildForm(read, { env, defaultImage: 'scratch' }, quiet);
  const { settings: above, ungranted } = applyRunArgs(config.runArgs ?? [], file);
  const link = workspaceLink(read, form);
  return {
    scope,
    ...(link === undefined ? {} : { workspaceLink: link }),
    settings: { below: form.below, above },
    ungranted: [...ungrantedOfConfig(config, file, { scope, env, secrets }), ...ungranted, ...form.ungranted],
  };
}
