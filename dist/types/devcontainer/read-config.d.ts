import type { Emit } from '../core/events.ts';
import { type JsonDocument } from './document.ts';
import type { DefinitionRequest, DevcontainerConfig, VariableScope } from './types.ts';
import { type WorkspacePlace } from './workspace-folder.ts';
/** A devcontainer.json as it was read. */
export interface ReadConfig {
    readonly file: string;
    /** Where the workspace's files are read, which may be a clone that stands in for it. */
    readonly folder: string;
    readonly document: JsonDocument;
    /** Checked, with variables as they are written. */
    readonly raw: DevcontainerConfig;
    /** With all variables replaced but `${containerEnv:…}`. */
    readonly config: DevcontainerConfig;
    readonly place: WorkspacePlace;
    readonly scope: VariableScope;
}
/**
 * Reads, checks and substitutes a devcontainer.json.
 * @throws AppError DEVCONTAINER
 */
export declare function readConfig(file: string, request: Pick<DefinitionRequest, 'workspaceFolder' | 'containerFolder' | 'env' | 'inContainer'>, emit: Emit): ReadConfig;
