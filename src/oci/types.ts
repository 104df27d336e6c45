import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';

/** OCI image spec, "Image Index", platform. `variant` as in `arm/v7`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** OCI image spec, "Content Descriptors". `data` is base64. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly data?: string;
}

/** OCI image spec, "Image Manifest"; Docker's schema 2 is read into the same shape. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** OCI image spec, "Image Index"; Docker's manifest list is read into the same shape. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** HEALTHCHECK as Docker stores it; durations in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The execution part of an image config: OCI image spec, "Image Configuration", plus the fields that Docker adds. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: Healthcheck;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly config?: ContainerConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

/** A manifest with its exact bytes; `descriptor.digest` is the digest of `bytes`. */
export interface RawManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface ByteRange {
  readonly offset: number;
  /** In bytes; to the end when left out. */
  readonly length?: number;
}

/** Where the bytes of a blob come from when it is put: replayable, so that a push can be tried again. */
export interface BlobSource {
  readonly digest: Digest;
  readonly size: number;
  /** A new stream over the bytes from `offset` on, each time it is called. */
  open(offset?: number): Readable;
  /** The bytes as a file of their own that may be hard-linked or renamed away, where there is one. */
  readonly file?: string;
  /** `digest` was computed while this process wrote `file`, so `file` is not read again to verify it. */
  readonly fileVerified?: true;
  /** A repository of the same registry that is known to hold the blob (OCI distribution spec, "Mounting a blob"). */
  readonly mountFrom?: string;
  /** What is stored under the digest could not be read: the blob is stored again, whatever is said to be there. */
  readonly anew?: true;
}

/**
 * One repository of images: a remote one, or a directory. This is the whole of what a back end implements; everything
 * else (images, indexes, records) is derived from it.
 */
export interface Store {
  /** For messages: `host/repository` or a directory; never a credential. */
  readonly name: string;
  /** The blob's size in bytes, or undefined when the repository does not hold it. */
  has(digest: Digest, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * The blob's bytes. Without a range they are verified: the stream fails with AppError CORRUPT before it ends when they
   * do not match the digest. A range is the caller's to verify.
   * @throws AppError REGISTRY, AUTH, CORRUPT; NOT found is AppError REFERENCE
   */
  get(digest: Digest, range?: ByteRange, signal?: AbortSignal): Promise<Readable>;
  /**
   * Where blobs are files: fills `into` with bytes of a blob from `offset` on, not verified, and gives their number, which
   * is smaller only at the end of the blob. @throws AppError as `get`
   */
  readInto?(digest: Digest, offset: number, into: Uint8Array): Promise<number>;
  /** Stores a blob; idempotent, and a no-op where it exists. Visible only when whole and verified. */
  put(source: BlobSource, signal?: AbortSignal): Promise<'stored' | 'mounted' | 'exists'>;
  /** The manifest or index under a tag or digest, or undefined. Its bytes match its digest. */
  resolve(tagOrDigest: string, signal?: AbortSignal): Promise<RawManifest | undefined>;
  /** Stores a manifest or index under its digest, and under `tag` when given; the tag is replaced atomically. */
  tag(bytes: Buffer, mediaType: string, tag?: string, signal?: AbortSignal): Promise<Descriptor>;
  /**
   * Where that can be told: stores a manifest that has a subject under its digest, and says whether it is listed among the
   * referrers of that.
   */
  refer?(
    bytes: Buffer,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<{ readonly descriptor: Descriptor; readonly listed: boolean }>;
  /**
   * As `tag`, unless one of the tags is there; then none is made. 'unsure' is stored too, by a registry that did not say
   * whether it looked. Absent where tags cannot be made but by `tag`.
   */
  create?(bytes: Buffer, mediaType: string, tags: readonly string[], signal?: AbortSignal): Promise<Created>;
  /** Whether `create` goes by what is there, also with more tags than one. */
  readonly creates?: () => boolean;
  /** All tags; none where there is no such repository. @throws AppError REGISTRY, AUTH, CORRUPT */
  listTags?(signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * Removes a manifest that nothing but this tag names. @returns false where that is not possible
   * @throws AppError REGISTRY, AUTH, CACHE_DIR
   */
  drop?(tag: string, digest: Digest, signal?: AbortSignal): Promise<boolean>;
}

/** Whether a tag was made: not where it was there before. */
export type Created = 'created' | 'exists' | 'unsure';

/** A parsed image reference. `registry` is the host to call, `docker.io` for Docker Hub; `familiar` what the user wrote. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
  readonly familiar: string;
}

/** An image for one platform, resolved: its manifest, its config, and where its layers can be read. */
export interface Image {
  readonly reference: string;
  readonly manifest: RawManifest;
  readonly parsed: Manifest;
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
  readonly store: Store;
}
