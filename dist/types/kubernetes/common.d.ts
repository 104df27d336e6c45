import type { ManifestSettings, PodSpec, SecurityContext } from './types.ts';
/** Names that objects refer to each other by. */
export declare const NAMES: {
    readonly baseImages: 'envbuilder-base-images';
    readonly baseImagesRead: 'envbuilder-base-images-read';
    readonly warmer: 'envbuilder-warmer';
    readonly warmNow: 'envbuilder-warm-now';
    readonly registry: 'envbuilder-registry';
    readonly registryUsers: 'envbuilder-registry-users';
    readonly registryLogin: 'envbuilder-registry-login';
    readonly git: 'envbuilder-git';
    readonly workspace: 'envbuilder-workspace';
};
export type Component = 'base-images' | 'warmer' | 'registry' | 'workspace';
/** The port of the registry. */
export declare const REGISTRY_PORT = 5000;
/** Where base images are mounted. */
export declare const BASE_IMAGES = "/base-images";
/** The labels by which selectors find a component's pods (Kubernetes' recommended labels). */
export declare function selectorOf(component: Component): Readonly<Record<string, string>>;
/** The metadata of an object. */
export declare function metadata(name: string, component: Component, { namespace }: ManifestSettings): {
    name: string;
    namespace?: string;
    labels: Record<string, string>;
};
/** What a pod needs that is not root: volumes of its group, no token of the cluster, the usual seccomp profile. */
export declare function unprivilegedPod(): Pick<PodSpec, 'securityContext' | 'automountServiceAccountToken' | 'enableServiceLinks'>;
/** A container that can do nothing but its work ("restricted" of the Pod Security Standards, and a read-only root). */
export declare function unprivilegedContainer(): SecurityContext;
