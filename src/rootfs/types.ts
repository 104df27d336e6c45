import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { LayerBlob, LayerResult } from '../layer/types.ts';
import type { RunMount, RunResult, RunSpec } from '../sys/types.ts';
import type { LayerEntry } from '../tar/types.ts';

/** A layer as extraction sees it, lowest first. */
export interface ExtractRequest {
  readonly layers: readonly LayerBlob[];
  /** An existing, empty directory (or one that `keep` explains). Nothing outside it is ever written. */
  readonly target: string;
  /** Restore owners and device nodes; needs root. */
  readonly privileged: boolean;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
  /** Told of each layer whose entries are about to be listed; what it gives back is told of each of them. */
  readonly seen?: (layer: Digest) => (entry: LayerEntry) => void;
  /** Takes the digests of files of layers without a table of contents, as the target has them in the end. */
  readonly digests?: ContentDigests;
}

/** Keeps digests of files by path, as far as it wants to. */
export interface ContentDigests {
  /** Whether it would keep that of a file of so many bytes. */
  wants(size: number): boolean;
  /** Takes the sha256 of a file in hex; undefined where a path has other content now, of which nothing is known. */
  set(path: string, sha256: string | undefined): void;
  /** Drops all paths but those for which `isKept` says so. */
  keep(isKept: (path: string) => boolean): void;
}

export interface ExtractResult {
  readonly files: number;
  readonly bytes: number;
  /** Files in lower layers that a higher one replaces, and that were therefore never written. */
  readonly skipped: number;
  /** Extended attributes that a snapshot keeps, by path. */
  readonly xattrs: ReadonlyMap<string, ReadonlyMap<string, Buffer>>;
}

/** A finished layer in a file of the working directory, until it is pushed or linked into a store. */
export interface StagedLayer extends LayerResult {
  readonly file: string;
}

/** Why a clean machine might have made something else of a step. */
export interface Stain {
  /**
   * `changed`: the step changed it, and its layer does not hold that. `hidden`: the image has it, and the step saw something
   * else there. `found`: the step would have made it, had it not been there.
   */
  readonly what: 'changed' | 'hidden' | 'found';
  /** A path in the root. */
  readonly path: string;
  /** The mount or the kept path that it lies in or is. */
  readonly place: string;
  /** `place` is a mount. */
  readonly mounted: boolean;
}

/** What a step does to a file tree: RUN, or writing the files of COPY, ADD and WORKDIR. */
export interface RootfsBackend {
  readonly kind: 'overlay' | 'copies' | 'inplace';
  /** A new state whose content is the union of these layers; materialised once, on first use, and shared. */
  fromLayers(layers: readonly LayerBlob[]): Promise<RootfsState>;
  /** Gets ready for a RUN that is likely to come; may be called often. */
  expectRun(): void;
  /** Ends and unmounts everything, so that the directory that the back end was given can be deleted; safe to call twice. */
  dispose(): Promise<void>;
}

/** An immutable file tree: a stage after some step. */
export interface RootfsState {
  /**
   * Opens a step on top of this state: a mounted tree that can be written and run in, and that commits to a layer and a
   * new state.
   */
  begin(): Promise<RootfsStep>;
  /** A tree that can be written while steps on other trees run; what is written is thrown away with `abandon`. */
  beginThrowaway(): Promise<Pick<RootfsStep, 'root' | 'abandon'>>;
  /**
   * Gives the tree to `use` (COPY --from, RUN --mount=from, lookup of users), which does not write to it; the path is valid
   * only inside it.
   * @param paths all that is read, as a COPY names it; a tree that has nothing else may be given
   */
  read<T>(use: (root: string) => Promise<T>, paths?: readonly string[]): Promise<T>;
}

export interface RootfsStep {
  /** Host path of the writable tree. */
  readonly root: string;
  run(spec: Omit<RunSpec, 'root' | 'mounts'> & { readonly mounts: readonly RunMount[] }): Promise<RunResult>;
  /**
   * Snapshots what changed since `begin` into a layer, on disk below the working directory. `undefined` as layer means
   * that nothing changed. The next step may begin on `state` while `layer` is still being made.
   */
  commit(options: CommitOptions): Promise<CommittedStep>;
  /** Throws the step away. */
  abandon(): Promise<void>;
}

/** A step that is done. */
export interface CommittedStep {
  readonly state: RootfsState;
  readonly layer: Promise<StagedLayer | undefined>;
  /** With any, state and layer are right for this container alone. */
  readonly stains: readonly Stain[];
}

export interface CommitOptions {
  readonly compression: 'zstd' | 'gzip';
  /** Set: new and changed files get this mtime (seconds), on disk and in the layer. */
  readonly mtime?: number;
}
