import type { RunMount } from '../../sys/types.ts';
/**
 * The host's name resolution as files to mount over the image's own, since RUN uses the host's network; they are mounts,
 * so they never enter a layer.
 * @param directory made when missing
 */
export declare function createNetworkFiles(directory: string, hostname: string): RunMount[];
