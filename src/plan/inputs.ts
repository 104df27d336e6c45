import type { GitNamed } from '../context/add-git.ts';
import type { IgnoreMatcher } from '../context/ignore-matcher.ts';
import type { SourceTree } from '../context/types.ts';
import type { Digest } from '../core/digest.ts';
import type { SourceRange } from '../core/error.ts';
import type { Dockerfile, LintWarning } from '../dockerfile/types.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';

/** A download as a probe sees it, without its bytes where a record knows their digest. */
export interface UrlFacts {
  readonly digest: Digest;
  readonly name: string;
  /** Seconds since the epoch. */
  readonly lastModified?: number;
}

/** Files that a Dockerfile can name besides its stages and the main context (docker build --build-context). */
export type NamedContext =
  | {
      readonly type: 'dir';
      /** Absolute. */
      readonly path: string;
      /** Whether it was fetched: no ignore file counts then. */
      readonly fetched?: true;
    }
  /** A repository, or a file that is downloaded; both are fetched before anything is planned. */
  | { readonly type: 'git'; readonly url: string }
  | { readonly type: 'url'; readonly url: string }
  /** An image in an OCI layout: the directory, and a tag or a digest in it. */
  | { readonly type: 'layout'; readonly path: string; readonly version: string }
  | { readonly type: 'image'; readonly reference: string }
  /** A stage of the Dockerfile itself, by name or number, as a target of `docker buildx bake` that builds it. */
  | { readonly type: 'target'; readonly target: string }
  | DeferredFiles;

/** A context that is an image in an OCI layout. */
export type LayoutContext = Extract<NamedContext, { readonly type: 'layout' }>;

/** Files that are not there yet: only a bind mount of a RUN can take them, and they are made when it runs. */
export interface DeferredFiles {
  readonly type: 'deferred';
  /** Stands for the files in keys. */
  readonly digest: Digest;
  /** What the step that mounts them does, where its instruction is no line that somebody wrote. */
  readonly about?: StepTitle;
  /** Makes the files in an empty directory. */
  readonly write: (directory: string, access: DeferredAccess) => Promise<void>;
}

/** What a step is called in logs, errors and the image's history, and what in a file asks for it. */
export interface StepTitle {
  readonly title: string;
  readonly range: SourceRange;
}

/** What deferred files can be made with: the registries of the build that needs them. */
export interface DeferredAccess {
  open(reference: Reference): Store;
  readonly signal: AbortSignal;
}

/** Everything that planning asks of the world; each is asked at most once a thing by the planner's caller's memo. */
export interface PlanSources {
  resolveImage(reference: string, platform: Platform): Promise<Image>;
  /** An image of a context that is an OCI layout. */
  layoutImage?(layout: LayoutContext, platform: Platform): Promise<Image>;
  /** The main context, or the directory of a named one. */
  context(name?: string): Promise<SourceTree>;
  /** What leaves files out of the main context, for checks; left out where nobody asks. */
  ignored?(): IgnoreMatcher | undefined;
  url(url: string, checksum?: string): Promise<UrlFacts>;
  /** What a git URL names now. */
  gitCommit(url: string): Promise<GitNamed>;
}

export interface PlanInput {
  readonly dockerfile: Dockerfile;
  /** Name or index of the stage to build; the last one when left out. */
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** By normalised name, see contextName; none when left out. */
  readonly contexts?: ReadonlyMap<string, NamedContext>;
  /** Added to the target's config, over those of the Dockerfile; no part of any key. */
  readonly labels?: ReadonlyMap<string, string>;
  /** Variables, in the same way: no step sees them. */
  readonly imageEnv?: ReadonlyMap<string, string>;
  readonly platform: Platform;
  /** Whether somebody asked for the platform: then the image has it, whatever its base says. */
  readonly platformAsked?: boolean;
  readonly buildPlatform: Platform;
  readonly salt?: string;
  /** See rootfs CommitOptions.mtime. */
  readonly mtime: number | 'keep';
  readonly sources: PlanSources;
  /** Told once of all that the checks found, in the order of the file, whether planning succeeds or not. */
  readonly onWarnings?: (warnings: readonly LintWarning[]) => void;
  /** Only for what the checks find: no file of a context is looked at, and nothing is downloaded. */
  readonly checkOnly?: boolean;
  /** Plans all stages, not only those that the target needs. */
  readonly allStages?: boolean;
}
