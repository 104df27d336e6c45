import type { Environment } from '../core/environment.ts';
import type { ContainerConfig } from '../oci/types.ts';
import type { Devcontainer } from './types.ts';
/** What a dev container is described from. */
export type DescribeInput = Pick<Devcontainer, 'configFile' | 'name' | 'metadata' | 'scope' | 'settings' | 'initializeCommand' | 'workspaceFolder' | 'ungranted'> & {
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
export declare function describeDevcontainer(input: DescribeInput): Devcontainer;
