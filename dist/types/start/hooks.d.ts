import type { Emit } from '../core/events.ts';
import type { runAs } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import type { Variables } from './environment.ts';
/** A string runs under /bin/sh, a list is executed as it is, an object holds commands that run at the same time. */
export type HookCommand = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;
export interface Hook {
    /** What the command comes from: a feature, the image, or a devcontainer.json. */
    readonly origin: string;
    readonly command: HookCommand;
}
/** The commands of one lifecycle hook. */
export interface NamedHooks {
    readonly name: string;
    readonly hooks: readonly Hook[];
}
export interface HookDeps {
    readonly runAs: typeof runAs;
    readonly account: Account;
    readonly env: Variables;
    readonly cwd: string;
    readonly emit: Emit;
    readonly signal: AbortSignal;
    /** Told of each hook when all its commands have succeeded. */
    readonly onDone?: (name: string) => void;
}
/** What did not work, of which command. */
export interface HookFailure {
    readonly hook: string;
    readonly text: string;
}
/**
 * Runs hooks one after the other, the commands of an object at the same time. The first that fails is reported as a
 * warning, and the ones after it are not run.
 * @returns what failed; undefined when all went well
 * @throws the reason of the signal when it is aborted
 */
export declare function runHooks(all: readonly NamedHooks[], deps: HookDeps): Promise<HookFailure | undefined>;
/** A script that does what hooks do, one command after the other, those of an object at the same time. */
export declare function hookScript(hooks: readonly Hook[], quote: (word: string) => string): string;
