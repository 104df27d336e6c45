import type { UserCommand } from '../sys/run-as.ts';
import type { StartDeps, StartRequest } from './types.ts';
/**
 * A start from the workspace to the command that the container ends up in. The caller replaces itself by that command.
 * @throws AppError of any code; what is on the file system is then what the last step left
 */
export declare function runStart<Source>(request: StartRequest, deps: StartDeps<Source>): Promise<UserCommand>;
