import type { Emit } from '../core/events.ts';
import type { DefinitionRequest } from './types.ts';
type Search = Pick<DefinitionRequest, 'workspaceFolder' | 'devcontainerDir' | 'devcontainerJsonPath' | 'configuration'>;
/**
 * The devcontainer.json of a workspace: the one that is named; else the one in the named folder; else, in this order,
 * `.devcontainer/devcontainer.json`, `.devcontainer.json`, `devcontainer.json`, `.devcontainer/<folder>/devcontainer.json`.
 * Of several folders the first by name is taken, with a warning that names the others.
 * @returns an absolute path; undefined when there is none and none was named
 * @throws AppError DEVCONTAINER when a file or configuration that was named is not there
 */
export declare function findConfigFile(search: Search, emit: Emit): string | undefined;
export {};
