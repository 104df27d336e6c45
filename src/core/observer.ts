import type { StepId } from './events.ts';

/** A file, and the bytes of its content. */
export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** A file that a later layer replaces or removes: its bytes are downloaded and never seen. */
export interface WastedFile extends SizedFile {
  readonly what: 'replaced' | 'removed';
  /** Indices of the layer that holds it and of the one that does so. */
  readonly layer: number;
  readonly by: number;
}

/** What a layer holds. */
export interface LayerFiles {
  readonly count: number;
  /** Without compression. */
  readonly bytes: number;
  readonly largest: readonly SizedFile[];
}

export interface LayerContents {
  readonly digest: string;
  /** As it is stored. */
  readonly size: number;
  readonly origin: 'base' | 'cache' | 'built' | 'runtime';
  /** The instruction, or what the history of a base image says. */
  readonly createdBy: string | null;
  /** Null where the layer was not here: none is downloaded to be looked at. */
  readonly files: LayerFiles | null;
}

/** An image that a build made, with what lies in it. */
export interface ImageContents {
  readonly platform: string;
  readonly digest: string;
  /** Of all layers as they are stored. */
  readonly size: number;
  /** Lowest first. */
  readonly layers: readonly LayerContents[];
  readonly waste: {
    readonly bytes: number;
    readonly count: number;
    readonly largest: readonly WastedFile[];
    /** Whether the files of all layers were known. */
    readonly complete: boolean;
  };
}

/** A stage that the target needs, and what it needs itself. */
export interface ObservedStage {
  readonly index: number;
  readonly name: string;
  readonly platform: string;
  readonly target: boolean;
  /** What FROM names: an image or `scratch`; null for a stage of the build. */
  readonly base: string | null;
  /** The stage that it goes on from. */
  readonly from: number | null;
  /** Other stages that its steps read. */
  readonly reads: readonly number[];
}

/** Is told what a build consists of, besides its events. A build without one does not look. */
export interface BuildObserver {
  planned(stages: readonly ObservedStage[]): void;
  /** Why a step that runs is not from the cache; codes are those of docs/reference/miss-causes.md. */
  missed(id: StepId, causes: readonly { readonly code: string; readonly text: string }[]): void;
  made(images: readonly ImageContents[]): void;
}
