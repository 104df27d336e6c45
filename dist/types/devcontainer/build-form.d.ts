import type { Environment } from '../core/environment.ts';
import type { Emit } from '../core/events.ts';
import { type BuildForm } from './build-source.ts';
import type { ReadConfig } from './read-config.ts';
/**
 * The build of a devcontainer.json: its Dockerfile, else its Compose service, else its image, as the reference
 * implementation chooses.
 * @throws AppError DEVCONTAINER when it has none of them, or a file that it names is not there
 */
export declare function buildForm(read: ReadConfig, { env, defaultImage }: {
    readonly env: Environment;
    readonly defaultImage?: string;
}, emit: Emit): BuildForm;
