import type { Platform } from '../oci/types.ts';

/** What a cache of base images is written as: files for kaniko, an OCI layout, or both. */
export type WarmLayout = 'all' | 'kaniko' | 'oci';

export interface WarmRequest {
  /** Absolute path of the cache; made where it is missing. */
  readonly dir: string;
  /** References. */
  readonly images: readonly string[];
  /** Absolute paths or http(s) addresses of Dockerfiles whose images are fetched too. */
  readonly dockerfiles: readonly string[];
  /** Directories that links in those files' repositories may lead to. */
  readonly allowOutside?: readonly string[];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly platform: Platform;
  /** Fetch what is there already once more. */
  readonly force: boolean;
  /** What was fetched longer ago than this is fetched again. */
  readonly ttlMs: number;
  readonly layout: WarmLayout;
  /** Whether layers get a copy beside them that builds unpack in parallel; in an OCI layout. */
  readonly convert?: boolean;
}

/** One image that is in the cache now. */
export interface WarmedImage {
  readonly reference: string;
  /** Of the image for the platform; what kaniko looks for. */
  readonly digest: string;
  readonly outcome: 'fetched' | 'present';
}
