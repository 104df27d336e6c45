import type { NamedContext } from '../builder/types.ts';
import type { Dockerfile } from '../dockerfile/types.ts';
import type { ContainerConfig, Image, Platform } from '../oci/types.ts';
/** A Dockerfile that is about to be built. */
export interface Target {
    readonly text: string;
    readonly file: string;
    readonly target?: string;
    readonly buildArgs: ReadonlyMap<string, string>;
    readonly contexts: ReadonlyMap<string, NamedContext>;
    readonly platform: Platform;
}
/**
 * The execution config of the image that a Dockerfile makes (user, environment, labels), before anything is built. Only
 * manifests and configs of base images are read.
 * @throws AppError DOCKERFILE, REFERENCE, REGISTRY, AUTH at the instruction
 */
export declare function inspectTarget({ text, file, target, buildArgs, contexts, platform }: Target, resolveImage: (name: string, platform: Platform) => Promise<Image>): Promise<ContainerConfig>;
/** Instructions that make files say nothing about the config, and would ask for the context and other stages. */
export declare function withoutFiles(dockerfile: Dockerfile): Dockerfile;
/** The image without ONBUILD triggers of such instructions. */
export declare function withoutTriggers(image: Image): Image;
