import type { Emit } from '../core/events.ts';
import type { runAs } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import type { Variables } from './environment.ts';
/** The flags that make a shell of each kind. */
declare const FLAGS: {
    readonly loginShell: '-lc';
    readonly interactiveShell: '-ic';
    readonly loginInteractiveShell: '-lic';
};
/**
 * The environment that the user's own shell makes out of one, as the property userEnvProbe asks for it: profiles and the
 * like may add to PATH. A shell that fails or takes too long is a warning, and the environment stays as it was.
 */
export declare function probeUserEnvironment(kind: 'none' | keyof typeof FLAGS, deps: {
    readonly runAs: typeof runAs;
    readonly account: Account;
    readonly env: Variables;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Promise<Variables>;
export {};
