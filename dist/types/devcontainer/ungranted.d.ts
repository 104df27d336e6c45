import type { Emit } from '../core/events.ts';
import type { DevcontainerConfig, OriginEntry, Ungranted, VariableScope } from './types.ts';
/** What entries of metadata ask for and a container that runs already cannot be given. */
export declare function ungrantedOfMetadata(metadata: readonly OriginEntry[]): readonly Ungranted[];
/** What only the file itself can ask for. */
export declare function ungrantedOfConfig(config: DevcontainerConfig, origin: string, scope: VariableScope): readonly Ungranted[];
/** Warns about each of them once. */
export declare function warnUngranted(ungranted: readonly Ungranted[], workspace: string, emit: Emit): void;
