import { type LoadDeps } from './load.ts';
import { type MergedConfig } from './merge.ts';
import type { DefinitionRequest, DevcontainerConfig } from './types.ts';
import type { WorkspacePlace } from './workspace-folder.ts';
export interface ReadConfigurationRequest extends DefinitionRequest {
    /** Also what image, features and file say together. */
    readonly merged: boolean;
    /** Also the features with their options, in the order of installation. */
    readonly features: boolean;
}
/** Where a file lies, in the shape that the reference implementation prints. */
export interface ConfigFilePath {
    readonly $mid: 1;
    readonly fsPath: string;
    readonly path: string;
    readonly scheme: string;
}
interface Placed {
    readonly configFilePath: ConfigFilePath;
}
/** What `read-configuration` of the reference implementation prints. */
export interface Configuration {
    readonly configuration: DevcontainerConfig & Placed;
    readonly workspace: WorkspacePlace;
    readonly featuresConfiguration?: unknown;
    readonly mergedConfiguration?: MergedConfig & Placed;
}
/**
 * Reads a devcontainer.json as the reference implementation's `read-configuration` does where there is no container yet:
 * `${containerEnv:…}` and `${devcontainerId}` stay as they are.
 * @throws AppError as loadDefinition; images and features are asked for only when they are needed
 */
export declare function readConfiguration(request: ReadConfigurationRequest, deps: LoadDeps): Promise<Configuration>;
export {};
