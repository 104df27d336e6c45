import type { Environment } from '../core/environment.ts';
import { type Where } from '../core/error.ts';
import type { VariableScope } from './types.ts';
/** What variables stand for; those of a part that is left out stay as they are. */
export interface Variables extends VariableScope {
    readonly localEnv?: Environment;
    readonly containerEnv?: Environment;
}
/**
 * Replaces variables in all strings of a value, keys excepted (Dev Container reference, "Variables in
 * devcontainer.json"). A variable of an environment that is not set is its default, else empty; what nobody knows stays.
 * The text that a variable stands for is not looked through again.
 * @throws AppError DEVCONTAINER for `${localEnv}` and `${containerEnv}` without a name
 */
export declare function substitute<T>(value: T, variables: Variables, where?: Where): T;
