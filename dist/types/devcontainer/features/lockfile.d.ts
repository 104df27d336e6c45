import { type Digest } from '../../core/digest.ts';
import type { ChosenFeature } from './types.ts';
export interface Lockfile {
    readonly path: string;
    /** The digest that a feature must have, by the id as it is written. */
    readonly pins: ReadonlyMap<string, Digest>;
    /** The file's content; undefined when it does not exist or is empty. */
    readonly text?: string;
}
/** Where the lockfile of a devcontainer.json lies. */
export declare function lockfilePath(configFile: string): string;
/**
 * Reads the lockfile beside a devcontainer.json; one that does not exist or is empty pins nothing.
 * @throws AppError DEVCONTAINER when it is not a lockfile
 */
export declare function readLockfile(configFile: string): Lockfile;
/** The lockfile of installed features, as the reference implementation writes it. Local features are not in it. */
export declare function lockfileText(chosen: readonly ChosenFeature[]): string;
/**
 * Writes the lockfile where it changed, whole or not at all; with `frozen` it must not change.
 * @throws AppError DEVCONTAINER when it is frozen and would change, or cannot be written
 */
export declare function saveLockfile(lockfile: Lockfile, text: string, mode: 'update' | 'frozen'): void;
