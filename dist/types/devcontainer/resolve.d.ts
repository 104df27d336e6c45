import type { Environment } from '../core/environment.ts';
import type { Emit } from '../core/events.ts';
import type { ImageConfig } from '../oci/types.ts';
import type { FileSettings } from './file-settings.ts';
import type { Devcontainer, VariableScope } from './types.ts';
/**
 * The dev container of an image that is there now: its variables, users and environment are final. An image that was not
 * built from this definition brings the metadata of its own label, below the file's.
 * @param env what `${localEnv:…}` sees; without our own options
 */
export declare function resolveAfterBuild(devcontainer: Devcontainer, imageConfig: Pick<ImageConfig, 'config'>, env: Environment, emit: Emit): Devcontainer;
/**
 * The dev container that an image's label describes: a pre-built image, or one without a devcontainer.json.
 * @param settings what the file adds that a pre-built image was made from, where it is there
 */
export declare function devcontainerOfImage(imageConfig: Pick<ImageConfig, 'config'>, { env, emit, settings, ...given }: {
    readonly scope: VariableScope;
    readonly env: Environment;
    readonly emit: Emit;
    readonly settings?: FileSettings;
}): Devcontainer;
