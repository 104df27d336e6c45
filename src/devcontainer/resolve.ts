import type { Environment } from '../core/environment.ts';
import type { Emit } from '../core/events.ts';
import type { ImageConfig } from '../oci/types.ts';
import { describeDevcontainer } from './describe.ts';
import type { FileSettings } from './file-settings.ts';
import { METADATA_LABEL, metadataLabel, readMetadata } from './metadata.ts';
import type { Devcontainer, OriginEntry, VariableScope } from './types.ts';
import { ungrantedOfMetadata } from './ungranted.ts';

/**
 * The dev container of an image that is there now: its variables, users and environment are final. An image that was not
 * built from this definition brings the metadata of its own label, below the file's.
 * @param env what `${localEnv:…}` sees; without our own options
 */
export function resolveAfterBuild(
  devcontainer: Devcontainer,
  imageConfig: Pick<ImageConfig, 'config'>,
  env: Environment,
  emit: Emit,
): Devcontainer {
  const { config = {} } = imageConfig;
  const { metadata, configFile } = devcontainer;
  const built = metadataLabel(metadata.map(({ entry }) => entry)) === config.Labels?.[METADATA_LABEL];
  const own = metadata.filter(({ origin }) => origin === configFile);
  return describeDevcontainer({
    ...devcontainer,
    metadata: built ? metadata : [...labelEntries(imageConfig, emit), ...own],
    env,
    image: config,
  });
}

/**
 * The dev container that an image's label describes: a pre-built image, or one without a devcontainer.json.
 * @param settings what the file adds that a pre-built image was made from, where it is there
 */
export function devcontainerOfImage(
  imageConfig: Pick<ImageConfig, 'config'>,
  {
    env,
    emit,
    settings,
    ...given
  }: {
    readonly scope: VariableScope;
    readonly env: Environment;
    readonly emit: Emit;
    readonly settings?: FileSettings;
  },
): Devcontainer {
  const nothing = { env: {} };
  const metadata = labelEntries(imageConfig, emit);
  const scope = settings?.scope ?? given.scope;
  return describeDevcontainer({
    metadata,
    scope,
    ...(scope.containerWorkspaceFolder === undefined
      ? {}
      : { workspaceFolder: scope.containerWorkspaceFolder }),
    ...(settings?.workspaceLink === undefined ? {} : { workspaceLink: settings.workspaceLink }),
    settings: settings?.settings ?? { below: nothing, above: nothing },
    ungranted: [
      ...ungrantedOfMetadata(metadata, { ...scope, localEnv: env }),
      ...(settings?.ungranted ?? []),
    ],
    env,
    image: imageConfig.config ?? {},
  });
}

function labelEntries({ config }: Pick<ImageConfig, 'config'>, emit: Emit): OriginEntry[] {
  return readMetadata(config?.Labels, 'the image', emit).map((entry) => ({
    origin: entry.id ?? 'image metadata',
    entry,
  }));
}
