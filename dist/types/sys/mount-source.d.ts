import { type OpenBeneath } from './beneath.ts';
import type { RunMount } from './types.ts';
type BindMount = Extract<RunMount, {
    type: 'bind';
}>;
/**
 * Opens what a bind mount shows, so that it is mounted or looked at as it was found.
 * @param use gets a descriptor of O_PATH, which is never one of a link
 * @throws Error as node:fs does: ENOENT where nothing is; ELOOP for a link
 */
export declare function withMountSource<T>(openBeneath: OpenBeneath, { source, within }: BindMount, use: (fd: number) => T): T;
/** The host path of what a bind mount shows, without links. @throws Error as withMountSource */
export declare function mountSourcePath(openBeneath: OpenBeneath, mount: BindMount): string;
export {};
