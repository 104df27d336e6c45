import { type Emit } from '../../core/events.ts';
import type { LayerBlob } from '../../layer/types.ts';
import type { TreeXattrs } from '../snapshot/entry.ts';
import type { ExtractRequest, ExtractResult } from '../types.ts';
import type { DirectoryTable } from './table.ts';
/** A file tree in a directory, which steps change from one version to the next. */
export interface StageTree {
    readonly dir: string;
    /** Undefined while a step has it, and when nobody knows what is in it. */
    version: number | undefined;
    /** Facts of `version`, once a step has needed them. */
    table: DirectoryTable | undefined;
    xattrs: TreeXattrs;
    readers: number;
    /** Until then a layer is read from it. */
    written: Promise<unknown>;
}
/** What a version consists of. */
export interface TreeVersion {
    readonly number: number;
    readonly layers: () => Promise<readonly LayerBlob[]>;
}
/** Trees by version. */
export interface StageTrees {
    /** A tree of this version to read from. */
    shared(version: TreeVersion): Promise<StageTree>;
    /** A tree that nobody reads from, and that nobody will be given until it has a version again. */
    taken(version: TreeVersion): Promise<StageTree>;
    /** A new tree of this version, for nobody else. */
    fresh(version: TreeVersion): Promise<StageTree>;
    /** The tree that a path lies in. */
    owner(path: string): StageTree | undefined;
    remove(tree: StageTree): void;
}
export interface StageTreesDeps {
    /** An existing directory on the file system of the root. */
    readonly dir: string;
    readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
/** Trees are extracted when they are first needed, and again when a step has changed the only one of a version. */
export declare function createStageTrees({ dir, extract, emit, signal }: StageTreesDeps): StageTrees;
