import type { Environment } from '../core/environment.ts';
import { type Emit } from '../core/events.ts';
import { type SpawnHelper } from './credential-helper.ts';
import type { CredentialSource } from './http/types.ts';
export interface CredentialOptions {
    /** Docker config JSON as text; beats every file. */
    readonly configJson?: string;
    /** Files to look for, the first that exists is used; one that is a directory stands for its `config.json`. */
    readonly configPaths: readonly string[];
    /** Environment of credential helpers; PATH says where they are. */
    readonly env: Environment;
    readonly spawnHelper?: SpawnHelper;
    readonly emit?: Emit;
}
/**
 * Credentials as Docker's config file has them: a helper for the registry, else the common helper, else `auths`. The file
 * is read on first use; comments in it are allowed. A helper that fails is a warning, and the registry is then called
 * anonymously, since the config may come from another machine than the one that it is used on.
 * @throws AppError AUTH (from the source) when the config cannot be read
 */
export declare function createCredentials(options: CredentialOptions): CredentialSource;
