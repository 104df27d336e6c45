import { timed } from '../../core/events.ts';
import type { LayerBlob } from '../../layer/types.ts';
import type { RunMount, RunResult, Syscalls } from '../../sys/types.ts';
import { prepareMountPoints } from '../mount-points.ts';
import { layersKey } from '../overlay/bases.ts';
import { settleTimes } from '../snapshot/settle-times.ts';
import { createSnapshotWriter, type SnapshotWriterDeps } from '../snapshot/writer.ts';
import type { ExtractRequest, ExtractResult, RootfsState, RootfsStep, StagedLayer, Stain } from '../types.ts';
import { previousContent } from './previous.ts';
import { scanTable } from './scan.ts';
import { type DirectoryTable, readTable, readTimes, waitForTick } from './table.ts';
import { createStageTrees, type Onto, type StageTree, type TreeVersion } from './trees.ts';

/** A command that is to run in a tree. */
export interface TreeRun {
  readonly dir: string;
  readonly spec: Parameters<RootfsStep['run']>[0];
  /** Those of `spec`, with mount points in the tree. */
  readonly mounts: readonly RunMount[];
  /** The tree as it was when the step began. */
  readonly before: DirectoryTable;
  /** Whatever changed since the step began has a greater ctime. */
  readonly since: bigint;
}

export interface TreeStatesDeps extends SnapshotWriterDeps {
  /** An existing, empty directory for trees. */
  readonly dir: string;
  /** A file on the same file system that may be written. */
  readonly tickFile: string;
  /** A new name for a finished layer. */
  readonly layerFile: () => string;
  /** As in StageTreesDeps. */
  readonly takesBack?: boolean;
  readonly run: (run: TreeRun) => Promise<{ readonly result: RunResult; readonly stains: readonly Stain[] }>;
  readonly syscalls: Syscalls;
  readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
  /** A layer of this build as one to extract. */
  readonly blobOf: (layer: StagedLayer) => LayerBlob;
  readonly signal: AbortSignal;
}

/** States whose files lie in directories, which steps change where they are; a walk before and after tells what changed. */
export interface TreeStates {
  fromLayers(layers: readonly LayerBlob[]): RootfsState;
  /** A directory with the files of a state, which nobody else will be given. */
  take(state: RootfsState): Promise<string>;
  /** A path that a RUN changed behind our back: the tree that it lies in is extracted anew when it is needed again. */
  forget(path: string): void;
  /** Whether a path lies in a tree. */
  holds(path: string): boolean;
  /** Waits until no layer is written any more. */
  settled(): Promise<void>;
}

/** Makes states of trees below a directory. */
export function createTreeStates(deps: TreeStatesDeps): TreeStates {
  const { emit, syscalls } = deps;
  const trees = createStageTrees(deps);
  const versions = new WeakMap<RootfsState, TreeVersion>();
  const bases = new Map<string, RootfsState>();
  /** Versions that steps made, by what layers would make the same. */
  const made = new Map<string, number>();
  const snapshots = createSnapshotWriter(deps);
  let count = 0;

  const createState = (layers: TreeVersion['layers'], onto?: TreeVersion['onto']): RootfsState => {
    count += 1;
    const version: TreeVersion = { number: count, layers, ...(onto ? { onto } : {}) };
    const state: RootfsState = {
      begin: async () => begin(state, version, await trees.taken(version, true)),
      beginThrowaway: async () => {
        const tree = await trees.fresh(version);
        return { root: tree.dir, abandon: async () => trees.remove(tree) };
      },
      read: (use, paths) => trees.read(version, use, paths),
    };
    versions.set(state, version);
    return state;
  };

  const begin = (state: RootfsState, version: TreeVersion, tree: StageTree): RootfsStep => {
    const before = tree.table ?? readTable(syscalls, tree.dir);
    tree.known?.extracted(before);
    const since = waitForTick(deps.tickFile);
    const stains: Stain[] = [];
    return {
      root: tree.dir,
      run: async (spec) => {
        const prepared = prepareMountPoints(tree.dir, spec, syscalls);
        try {
          const run = { dir: tree.dir, spec, mounts: prepared.mounts, before, since };
          const { result, stains: found } = await deps.run(run);
          stains.push(...found);
          return result;
        } finally {
          prepared.undo();
        }
      },
      commit: async (options) => {
        const { table, xattrs, ...scanned } = await timed(emit, 'snapshot', async () => {
          const after = readTable(syscalls, tree.dir, before);
          const snapshot = await scanTable(before, after, {
            syscalls,
            root: tree.dir,
            xattrs: tree.xattrs,
            mtime: options.mtime,
            previous: async (wanted) => {
              const known = tree.known?.at(before, wanted.keys()) ?? new Map();
              const left = new Map([...wanted].filter(([path]) => !known.has(path)));
              if (left.size === 0) return known;
              return new Map([...known, ...(await previousContent(await version.layers(), left))]);
            },
          });
          return { table: after, ...snapshot };
        });
        if (options.mtime !== undefined) {
          const set = settleTimes(scanned, { syscalls, mtime: options.mtime });
          readTimes(table, tree.dir, set);
        }
        const moment = { number: version.number, table: before, xattrs: tree.xattrs };
        const earlier = deps.takesBack ? [...tree.earlier, moment] : [];
        Object.assign(tree, { table, xattrs, version: version.number });
        if (scanned.entries.count === 0) return { state, layer: Promise.resolve(undefined), stains };
        const layer = snapshots.write(scanned, deps.layerFile(), options);
        tree.written = layer.catch(() => {});
        const next = createState(async () => [...(await version.layers()), deps.blobOf(await layer)]);
        const { number } = versions.get(next)!;
        Object.assign(tree, { version: number, earlier });
        // With times of its own, the tree is not what its layers would make.
        if (options.mtime !== undefined) void remember(number, versions.get(next)!.layers);
        return { state: next, layer, stains };
      },
      abandon: async () => trees.remove(tree),
    };
  };

  const remember = async (number: number, layers: TreeVersion['layers']): Promise<void> => {
    const known = await layers().catch(() => undefined);
    if (known) made.set(keyOf(known), number);
  };
  /** What of these layers a step made that is the most. */
  const ontoMade = (layers: readonly LayerBlob[]): Onto | undefined => {
    for (let below = layers.length - 1; below > 0; below -= 1) {
      const version = made.get(keyOf(layers.slice(0, below)));
      if (version !== undefined) return { version, layers: layers.slice(below) };
    }
    return undefined;
  };

  return {
    fromLayers: (layers) => {
      const key = keyOf(layers);
      const state =
        bases.get(key) ??
        createState(
          async () => layers,
          () => ontoMade(layers),
        );
      bases.set(key, state);
      return state;
    },
    take: async (state) => (await trees.taken(versions.get(state)!, false)).dir,
    forget: (path) => {
      const tree = trees.owner(path);
      if (tree) tree.version = undefined;
    },
    holds: (path) => trees.owner(path) !== undefined,
    settled: snapshots.settled,
  };
}

function keyOf(layers: readonly LayerBlob[]): string {
  return layersKey(layers.map(({ diffId }) => diffId));
}
