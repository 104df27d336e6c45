import type { Environment } from '../core/environment.ts';
import type { Credential } from './http/types.ts';
/** Runs a program with `get` as its argument and `input` as standard input; rejects when it cannot be started. */
export type SpawnHelper = (program: string, input: string, env: Environment) => Promise<{
    readonly exitCode: number | null;
    readonly stdout: string;
}>;
/**
 * Asks a `docker-credential-*` program for a registry's credential; undefined when it has none.
 * @param name what follows `docker-credential-` in the program's name
 * @throws AppError AUTH when the program fails; its output is not shown, as it may be a secret
 */
export declare function runCredentialHelper(run: SpawnHelper, name: string, server: string, env: Environment): Promise<Credential | undefined>;
/** The SpawnHelper that really starts the program. */
export declare const spawnCredentialHelper: SpawnHelper;
