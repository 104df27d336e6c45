import type { Environment } from '../../core/environment.ts';
import type { Where } from '../../core/error.ts';
/**
 * The variables of an env file as Compose reads it: `NAME=value` lines, comments, single quotes for literal text, double
 * quotes with escapes; variables are replaced but in single quotes, and see those above them. A name alone takes its value
 * from `env`, and is left out when that has none.
 * @throws AppError DEVCONTAINER for a variable that must be set and is not
 */
export declare function parseEnvFile(text: string, env: Environment, where: Where): Readonly<Record<string, string>>;
