import type { ManifestFiles } from './manifest-files.ts';
import type { Exchange, ManifestReference } from './types.ts';
/** Requests for the manifests of a repository. */
export interface Manifests {
    read(exchange: Exchange, repository: string, reference: ManifestReference): Promise<void>;
    write(exchange: Exchange, repository: string, reference: ManifestReference): Promise<void>;
    remove(exchange: Exchange, repository: string, reference: ManifestReference): Promise<void>;
}
/** Answers requests for manifests. */
export declare function createManifests(files: ManifestFiles): Manifests;
