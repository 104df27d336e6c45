import type { Image, Platform } from '../oci/types.ts';
/**
 * Names every image that a build of a Dockerfile may read, whatever its target: bases of stages with build arguments put
 * in, images of COPY --from and of mounts.
 * @param visit told of each; what it gives back is read for what the next instructions mean
 * @throws AppError DOCKERFILE at the place in the file, and what `visit` throws
 */
export declare function visitImages(path: string, buildArgs: ReadonlyMap<string, string>, platform: Platform, visit: (name: string, platform: Platform) => Promise<Image>): Promise<void>;
