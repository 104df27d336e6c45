import type { ManifestSettings, PodSpec, Secret } from './types.ts';
/** The name by which pods of the cluster call the registry. */
export declare function registryHost(): string;
/** Secrets with the user's own values still to be filled in. */
export declare function secrets(settings: ManifestSettings): readonly Secret[];
/** The login for registries, as a directory that DOCKER_CONFIG names; pods start without it too. */
export declare function dockerConfigVolume(name: string): NonNullable<PodSpec['volumes']>[number];
