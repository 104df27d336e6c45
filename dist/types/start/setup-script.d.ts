import type { Emit } from '../core/events.ts';
import type { runAs } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import { type Variables } from './environment.ts';
/** What the container ends up in. */
export interface InitCommand {
    readonly command: string;
    readonly args: readonly string[];
    /** Who runs it, as a name or number of the new root. */
    readonly user: string;
}
export interface SetupDeps {
    readonly runAs: typeof runAs;
    readonly root: Account;
    readonly env: Variables;
    readonly cwd: string;
    /** The file that the script may write to; removed before and afterwards. */
    readonly envFile: string;
    /** Whether standard input and output are a terminal, which the script then gets. */
    readonly terminal: boolean;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
/**
 * Runs the setup script as root, and applies what it wrote to the file that ENVBUILDER_ENV names.
 * @throws AppError START_FAILED when it fails or writes something that is not known
 */
export declare function runSetupScript(script: string, init: InitCommand, targetUser: string, deps: SetupDeps): Promise<InitCommand>;
/**
 * Applies the lines of a setup script's file to the init command.
 * @throws AppError START_FAILED for a key that is not known
 */
export declare function applySetup(text: string, init: InitCommand): InitCommand;
