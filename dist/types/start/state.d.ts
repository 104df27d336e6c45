import type { ContainerConfig } from '../oci/types.ts';
import type { StartedDevcontainer } from './types.ts';
/** What an earlier start of this container has left: `built` in our directory. */
export interface BuiltState {
    readonly config: ContainerConfig;
    readonly devcontainer: StartedDevcontainer;
    /** The hooks that have succeeded since the root file system was new, and of which commit of the workspace; '' for none. */
    readonly done: Readonly<Record<string, string>>;
}
/** What a pushed image says about itself: `image` in our directory. */
export interface ImageState {
    readonly config: ContainerConfig;
    /** The devcontainer.json that it was built from, relative to the workspace. */
    readonly devcontainerFile?: string;
}
/** The state of the container's last start; undefined when there was none, or another program wrote it. */
export declare function readBuilt(ownDir: string): BuiltState | undefined;
/** Writes the state of a start, whole or not at all; only root can read it. */
export declare function writeBuilt(ownDir: string, { config, devcontainer, done }: BuiltState): void;
/** Forgets the last start, before the root file system becomes another. */
export declare function removeBuilt(ownDir: string): void;
/** What the image that the container was started from says about itself; undefined unless it is one that we pushed. */
export declare function readImage(ownDir: string): ImageState | undefined;
