import type { RunMount } from '../../sys/types.ts';
import type { Journal } from './journal.ts';
import { type MoveDeps } from './move.ts';
import { type Pins } from './pins.ts';
export interface PlaceDeps extends MoveDeps {
    readonly pins: Pins;
    /** An empty directory on the file system of the root, for what a mount covers. */
    readonly aside: string;
    readonly journal: Journal;
    /** The RUN's working directory, which the image may have where only the user's things are; it is there for the RUN alone then. */
    readonly cwd: string;
}
/**
 * Puts the content of a RUN's mounts where a mount would show it, without the right to mount: directories are moved there
 * and back, files are copied, and what cannot be is a symlink. What lies there already is put aside meanwhile. A read-only
 * mount can be written to, but nothing of that is kept.
 * @returns what puts everything back as it was, in one go
 * @throws AppError BUILD_FAILED where a mount or an ignored path is in the way; nothing is left then
 */
export declare function placeMounts(mounts: readonly RunMount[], deps: PlaceDeps): () => void;
