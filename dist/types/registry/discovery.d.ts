import type { ContentDigest } from '../core/digest.ts';
import type { ManifestFiles } from './manifest-files.ts';
import type { Exchange, Storage } from './types.ts';
/** Requests that find out what there is (OCI distribution spec, "Content Discovery"). */
export interface Discovery {
    tags(exchange: Exchange, repository: string): Promise<void>;
    catalog(exchange: Exchange): Promise<void>;
    referrers(exchange: Exchange, repository: string, subject: ContentDigest): Promise<void>;
}
/**
 * Lists tags, repositories and referrers. Referrers are read from the manifests themselves, each once in the life of a
 * process, so that those count too that another program put into the directory.
 */
export declare function createDiscovery(storage: Storage, files: ManifestFiles): Discovery;
/** The names of all repositories below a root, sorted. */
export declare function repositoriesOf(root: string): readonly string[];
