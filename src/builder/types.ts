import type { Readable } from 'node:stream';
import type { TrustSettings } from '../cache/trust.ts';
import type { Digest } from '../core/digest.ts';
import type { MissingCause } from '../core/error.ts';
import type { HostFile } from '../oci/http/tls-profiles.ts';
import type { Descriptor, Image, ImageConfig, Store } from '../oci/types.ts';
import type { NamedContext } from '../plan/inputs.ts';
import type { RuntimeSpec } from './publishing/runtime.ts';

export type { NamedContext };

/** A build secret: its value comes from a file or from a variable of our environment, and is read when a RUN mounts it. */
export interface SecretSource {
  readonly id: string;
  readonly value: () => Promise<Buffer>;
}

/** A local agent socket or key offered to `RUN --mount=type=ssh`. */
export interface SshSource {
  readonly id: string;
  /** Host path of an agent's socket. */
  readonly socket: string;
}

/** A context that is no directory of this machine. What is no archive is the Dockerfile itself. */
export type ContextSource =
  | { readonly type: 'git'; readonly url: string }
  | { readonly type: 'url'; readonly url: string }
  | {
      readonly type: 'file';
      /** For messages. */
      readonly name: string;
      readonly open: () => Readable;
      /** Whether it has to be an archive; else what is none is the Dockerfile. */
      readonly archive?: boolean;
    };

export type OutputSpec =
  | { readonly type: 'rootfs'; readonly path: string }
  | { readonly type: 'oci'; readonly path: string }
  /** `path` '-' is standard output. */
  | { readonly type: 'docker'; readonly path: string }
  /** The root file system itself becomes the target's; only with the back end `inplace`, and written after all others. */
  | { readonly type: 'inplace' };

/**
 * How steps are run: on overlay mounts, in directories that are copies of what lies below them, or in the root file system
 * of our own container.
 */
export type BackendSpec =
  | { readonly kind: 'overlay' }
  | { readonly kind: 'copies' }
  | {
      readonly kind: 'inplace';
      readonly root: '/';
      /** `/.envbuilder`: our program, and all that is written besides the root file system itself. */
      readonly ownDir: string;
      /** Absolute paths that are never touched besides `ownDir` and mounts: the workspace, ignored paths. */
      readonly keep: readonly string[];
    };

/** Where layers are looked up and stored: a directory in Distribution's layout, a repository of a registry, or a store. */
export type CacheLocation =
  | { readonly type: 'directory'; readonly path: string }
  /** One that the caller has opened, and closes; images are named after its `name`. */
  | { readonly type: 'store'; readonly store: Store }
  | { readonly type: 'registry'; readonly reference: string };

export interface RegistrySettings {
  /** Plain HTTP and unverified TLS. Loopback addresses are tried with plain HTTP anyway. */
  readonly insecure: boolean;
  /** Mirrors for docker.io, in order, as host[:port][/prefix]. */
  readonly mirrors: readonly string[];
  /** Mirrors of other registries, in order. */
  readonly mirrorMap?: readonly { readonly registry: string; readonly mirror: string }[];
  /** Registries, as host[:port], that may be called by plain HTTP or with any certificate. */
  readonly insecureRegistries?: readonly string[];
  /** Directories with certificates by host, as Docker's /etc/docker/certs.d. */
  readonly certsDirs?: readonly string[];
  /** Further files with certificates, by host. */
  readonly hostFiles?: readonly HostFile[];
  /** Read from mirrors alone where a registry has any. */
  readonly onlyMirrors?: boolean;
  /** Docker config JSON as text; beats every file. */
  readonly dockerConfigJson?: string;
  /** Where else to look for it, the first that exists wins; a directory stands for its config.json. */
  readonly dockerConfigPaths: readonly string[];
  /** The environment of credential helpers (docker-credential-*). */
  readonly helperEnv: Readonly<Record<string, string | undefined>>;
  /** The usual proxy variables' values. */
  readonly proxy: { readonly http?: string; readonly https?: string; readonly noProxy?: string };
  readonly extraCaPem?: string;
  /** A directory of base images that is read before their registries are. */
  readonly baseImages?: {
    readonly dir: string;
    /** Fail where the registry of a tag cannot be reached, instead of taking what the tag was in the directory. */
    readonly requireRegistry: boolean;
    /** Whether copies of layers are unpacked that whoever fills the directory has made. */
    readonly copies?: boolean;
  };
}

/** An image without the place that its layers are read from. */
export type ResolvedImage = Omit<Image, 'store'>;

/** All that a build or a probe is asked for; made by the command line, never read from the environment below it. */
export interface BuildRequest {
  /** Left out: `overlay`, and `copies` where the kernel refuses that. */
  readonly backend?: BackendSpec;
  /** Absolute path of the context directory. */
  readonly context: string;
  /** Where the context comes from, if from elsewhere: then `context` is not looked at, and `dockerfile` is a path in it. */
  readonly contextSource?: ContextSource;
  /** Absolute path of a folder that git has checked out: modes in it are taken as git has them. */
  readonly checkout?: string;
  /** Absolute path of the Dockerfile; its `.dockerignore` lies beside it. */
  readonly dockerfile: string;
  /** The Dockerfile itself where it is not to be read; `dockerfile` then only names it. */
  readonly dockerfileText?: string;
  /** Whether a file that names a front end other than docker/dockerfile is built all the same, with a warning. */
  readonly ignoreSyntax?: boolean;
  /**
   * A folder of the repository that the build belongs to, as of definitionRoots: where the paths of the Dockerfile, of
   * ignore files and of contexts begin in it, links may not lead out of it. The context when left out.
   */
  readonly repository?: string;
  /** Absolute paths of directories that such links may lead to all the same. */
  readonly allowOutside?: readonly string[];
  /** Other files that the Dockerfile can name in FROM, `COPY --from` and `RUN --mount=from`; by normalised name. */
  readonly contexts: ReadonlyMap<string, NamedContext>;
  /** Base images that were resolved already, by `imageKey`; their registries are not asked what they mean again. */
  readonly resolvedImages?: ReadonlyMap<string, ResolvedImage>;
  /** Added to the image's config, over the Dockerfile's own; they change no key. */
  readonly labels: ReadonlyMap<string, string>;
  /** Variables of the image's config, over the Dockerfile's own; no step sees them, and they change no key. */
  readonly imageEnv?: ReadonlyMap<string, string>;
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  /**
   * Every file that the build adds, and the image, has one time: the build argument SOURCE_DATE_EPOCH, else the start of the
   * epoch. Two such builds share nothing with one whose files keep their times, but that one takes what they have stored.
   */
  readonly reproducible?: boolean;
  readonly secrets: readonly SecretSource[];
  readonly ssh: readonly SshSource[];
  /** Names, kinds or classes of devices that `RUN --device` may have; `*` means all, and none are allowed when left out. */
  readonly allowedDevices?: readonly string[];
  /** `os/arch[/variant]`; the machine's own when left out. */
  readonly platform?: string;
  /** Names under which the image is stored or written (docker archive, OCI layout, push). */
  readonly tags: readonly string[];
  readonly cache?: CacheLocation;
  /** Repositories that are read before the cache and never written to, in their order. */
  readonly trustedCaches?: readonly string[];
  /** Whose records count, and how ours are signed; without it every record counts. */
  readonly trust?: TrustSettings;
  readonly cacheTtlDays: number;
  /** The longest time that a step waits for another build that makes it; 0 means that builds do not know of each other. */
  readonly cacheWaitMs: number;
  readonly noCache: boolean;
  /** A step that the cache does not have is the error CACHE_MISS; none is ever run. */
  readonly onlyCached?: boolean;
  /** Secret text that enters the first key, so that tags cannot be guessed. */
  readonly cacheSalt?: string;
  readonly push: boolean;
  /** With `push`: further tags in the cache's repository that the image gets. */
  readonly cacheTags?: readonly string[];
  /** Put on top of the image that is pushed, and of the one that a probe asks for, so that it starts with us. */
  readonly runtime?: RuntimeSpec;
  readonly failOnPushError: boolean;
  /** With `push`, or an OCI layout as output: store how the images were made beside them. */
  readonly provenance?: {
    readonly mode: 'min' | 'max';
    /** A URI of whoever builds. */
    readonly builderId: string;
    /** Of this program. */
    readonly version: string;
  };
  /** As `provenance`: store which packages lie in each image. */
  readonly sbom?: {
    /** Of this program. */
    readonly version: string;
  };
  readonly outputs: readonly OutputSpec[];
  readonly compression: 'zstd' | 'gzip';
  /** Directory for temporary state (overlay work directories, staged layers); made, and emptied at the end. */
  readonly workDir: string;
  /** Directory kept between builds: contents of cache mounts, hashes of context files. Made on first use. */
  readonly stateDir: string;
  readonly registries: RegistrySettings;
  /** Proxy variables handed to RUN but never part of a key (http_proxy and so on). */
  readonly proxyEnv: Readonly<Record<string, string>>;
}

export interface BuildSummary {
  readonly stepsTotal: number;
  readonly stepsHit: number;
  readonly stepsBuilt: number;
  readonly bytesPulled: number;
  readonly bytesPushed: number;
}

/** An image that was built. */
export interface BuiltImage {
  /** Digest of the image's manifest; with `push` and `runtime`, of the one with the runtime, and `layers` are its layers. */
  readonly imageDigest: Digest;
  readonly imageConfigDigest: Digest;
  /** What names the image: its digest, with the size and the media type of the manifest. */
  readonly descriptor: Descriptor;
  /** Of the image without the runtime. */
  readonly imageConfig: ImageConfig;
  readonly layers: readonly {
    readonly digest: Digest;
    readonly size: number;
    readonly diffId: Digest;
    readonly mediaType: string;
  }[];
}

export interface BuildResult extends BuiltImage {
  /** `repository@digest` when the image is in a registry or in the cache directory. */
  readonly pushedReference?: string;
  readonly summary: BuildSummary;
}

/** An index of images for several platforms that was built. */
export interface IndexResult {
  readonly indexDigest: Digest;
  /** As of BuiltImage. */
  readonly descriptor: Descriptor;
  /** In the order in which the platforms were asked for; each is the image that a build for it alone gives. */
  readonly images: readonly (BuiltImage & { readonly platform: string })[];
  /** As of BuildResult, of the index. */
  readonly pushedReference?: string;
  readonly summary: BuildSummary;
}

/** A step, and why the cache does not have it. */
export interface ExplainedStep {
  readonly stage: string;
  /** The first line of the instruction. */
  readonly instruction: string;
  readonly file: string;
  readonly line: number;
  readonly key: Digest;
  readonly cached: boolean;
  /** At least one where it is not cached; of a cached one what is other than in the earlier build that was named. */
  readonly causes: readonly MissingCause[];
}

/** What a build would find in the cache. */
export interface Explanation {
  /** When the build was that this one is compared with, RFC 3339; null where none left a trace. */
  readonly since: string | null;
  readonly steps: readonly ExplainedStep[];
}

export interface ProbeResult {
  /** `repository@digest`, what ENVBUILDER_CACHED_IMAGE is set to. */
  readonly reference: string;
  /** Of the image; of several platforms, of their index. */
  readonly imageDigest: Digest;
}
