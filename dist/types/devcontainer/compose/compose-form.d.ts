import type { Environment } from '../../core/environment.ts';
import type { Emit } from '../../core/events.ts';
import { type BuildForm } from '../build-source.ts';
import type { ReadConfig } from '../read-config.ts';
/**
 * The build of a configuration that names a Compose service.
 * @throws AppError DEVCONTAINER when files or the service are missing or wrong
 */
export declare function composeForm(read: ReadConfig, env: Environment, emit: Emit): BuildForm;
