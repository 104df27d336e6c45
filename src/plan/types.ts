import type { CopyItems, SourceTree } from '../context/types.ts';
import type { Digest } from '../core/digest.ts';
import type { SourceRange } from '../core/error.ts';
import type { DeviceRequest, Instruction, MountSpec } from '../dockerfile/types.ts';
import type { ContainerConfig, Image, Platform } from '../oci/types.ts';
import type { InheritedVariables } from './environment.ts';
import type { DeferredFiles } from './inputs.ts';

/** Where COPY --from, RUN --mount=from and FROM may take files from. */
export type TreeSource =
  | { readonly type: 'scratch' }
  | { readonly type: 'stage'; readonly stage: number }
  | { readonly type: 'image'; readonly image: Image };

/**
 * The files that a tree hash stands for. They are listed when they are first asked for.
 * @throws AppError CONTEXT when they are no longer those that were hashed
 */
export type ListItems = () => Promise<CopyItems>;

/** One source of a COPY or ADD, resolved as far as it can be without running anything. */
export type CopyInput =
  | {
      readonly kind: 'context';
      readonly items: ListItems;
      /** How many they are; undefined or left out where they have not been listed yet. */
      readonly itemCount?: () => number | undefined;
      readonly tree: SourceTree;
      readonly treeHash: Digest;
    }
  | { readonly kind: 'archive'; readonly path: string; readonly tree: SourceTree; readonly treeHash: Digest }
  | { readonly kind: 'inline'; readonly name: string; readonly content: Buffer }
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly name: string;
      readonly digest: Digest;
      /** Seconds since the epoch. */
      readonly lastModified?: number;
      readonly checksum?: string;
      readonly unpack: boolean;
    }
  | { readonly kind: 'git'; readonly url: string; readonly commit: string; readonly keepGitDir: boolean }
  | { readonly kind: 'from'; readonly source: TreeSource; readonly paths: readonly string[] };

export interface CopyOperation {
  readonly kind: 'copy';
  readonly inputs: readonly CopyInput[];
  /** Absolute inside the image; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
}

/** A `RUN --mount`, expanded; `from` and the tree hash of a context bind are resolved. */
export interface PlannedMount {
  readonly spec: MountSpec;
  readonly source?:
    | TreeSource
    | { readonly type: 'context'; readonly tree: SourceTree; readonly items: ListItems }
    | DeferredFiles;
  readonly sourcePath: string;
  /** Absolute inside the image. */
  readonly target: string;
  /** For files of contexts. */
  readonly treeHash?: Digest;
  /** For caches with `from=`: what the source's content depends on; caches of other contents are other caches. */
  readonly seed?: Digest;
}

export interface RunOperation {
  readonly kind: 'run';
  readonly argv: readonly string[];
  /** What the command sees, but for proxies that no ARG declares. */
  readonly env: ReadonlyMap<string, string>;
  /** The ARGs so far, for history. */
  readonly args: ReadonlyMap<string, string>;
  readonly user: string;
  readonly cwd: string;
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly mounts: readonly PlannedMount[];
  /** Devices that are asked for; none when left out. */
  readonly devices?: readonly DeviceRequest[];
  /** The name of the host that the command sees, where it is another one than usual. */
  readonly hostname?: string;
  /** A heredoc with a `#!` line: a script to offer at `path` (already argv's last word). */
  readonly script?: { readonly path: string; readonly content: string };
}

export interface WorkdirOperation {
  readonly kind: 'workdir';
  readonly path: string;
  readonly user: string;
}

export type Operation = RunOperation | CopyOperation | WorkdirOperation;

/** What a stage starts from. */
export interface BaseKeyInput {
  readonly salt: string | undefined;
  readonly platform: Platform;
  readonly mtime: number | 'keep';
  /** diffIDs of the base's layers, lowest first; none for scratch. */
  readonly diffIds: readonly Digest[];
  readonly config: ContainerConfig;
}

/** An instruction that makes a layer. */
export interface Step {
  readonly stage: number;
  /** Index among the steps of its stage. */
  readonly index: number;
  readonly text: string;
  readonly range: SourceRange;
  /** Its text is a title, and the range is where a file asks for the step. */
  readonly titled?: true;
  readonly operation: Operation;
  readonly key: Digest;
  /** Digest of the operation alone, without the parent's key. */
  readonly operationDigest: Digest;
  /** Short digests of the parts of the operation, by name, to explain a miss. */
  readonly fields: Readonly<Record<string, string>>;
  /** Stages whose files the operation reads. */
  readonly stages: readonly number[];
}

export interface HistoryLine {
  readonly createdBy: string;
  /** Index of the step whose layer this line describes; undefined for instructions that make none. */
  readonly step?: number;
}

export interface PlannedStage {
  readonly index: number;
  /** The name after AS, or its index. */
  readonly name: string;
  readonly base: TreeSource;
  readonly platform: Platform;
  /** The key before the first step. */
  readonly baseKey: Digest;
  /** What it is made of; of a stage that goes on from another stage, what that one's is made of. */
  readonly baseInput: BaseKeyInput;
  /** Enters every content key of the stage. */
  readonly contentScope: Digest;
  readonly steps: readonly Step[];
  /** The last step's key, or the base key. */
  readonly lastKey: Digest;
  /** The image's execution config after the last instruction. */
  readonly config: ContainerConfig;
  /** All variables that are defined then, ARGs without a value among them. */
  readonly declared: ReadonlySet<string>;
  /** Whether there is a WORKDIR in it, or in a stage that it is built on. */
  readonly workdirSet: boolean;
  /** After the last instruction; stages based on this one start with them. */
  readonly variables: InheritedVariables;
  readonly author?: string;
  readonly history: readonly HistoryLine[];
  readonly instructions: readonly Instruction[];
  /** The mounts of RUNs, expanded, where they were only checked. */
  readonly mounts: readonly MountSpec[];
}

/** An image that a build makes. */
export interface PlannedImage {
  readonly platform: Platform;
  /** What the image says that it is for. */
  readonly imagePlatform: Platform;
  readonly target: number;
}

/** All that a build does, and all keys, before anything is downloaded or run. */
export interface Plan extends PlannedImage {
  /** The images that are made besides, where there are several, as joinPlans makes them; `partsOf` has them all. */
  readonly others?: readonly PlannedImage[];
  /** By index in the Dockerfile, or as joinPlans numbers them; stages that no target needs are absent. */
  readonly stages: ReadonlyMap<number, PlannedStage>;
  readonly mtime: number | 'keep';
  /** The ARGs before the first FROM that have a value. */
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly warnings: readonly { readonly rule: string; readonly text: string; readonly range: SourceRange }[];
}
