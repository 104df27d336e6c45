import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Emit, timed } from '../../core/events.ts';
import { fsPath } from '../../core/path-bytes.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression, LayerBlob } from '../../layer/types.ts';
import { createBeneath } from '../../sys/beneath.ts';
import { mountSourcePath } from '../../sys/mount-source.ts';
import { timeOf } from '../../sys/path-facts.ts';
import type { Runner } from '../../sys/run.ts';
import type { RunMount, Syscalls } from '../../sys/types.ts';
import { prepareMountPoints } from '../mount-points.ts';
import { writeSnapshot } from '../snapshot/write.ts';
import type {
  CommitOptions,
  ExtractRequest,
  ExtractResult,
  RootfsBackend,
  RootfsState,
  RootfsStep,
  StagedLayer,
  Stain,
} from '../types.ts';
import { createForeignContent } from './foreign.ts';
import { openJournal } from './journal.ts';
import { placeMounts } from './mounts.ts';
import { previousContent } from './previous.ts';
import { enterRoot, freshDirectory } from './root.ts';
import { scanTable } from './scan.ts';
import { type DirectoryTable, entriesOf, readTable, waitForTick } from './table.ts';
import { createStageTrees, type StageTree, type TreeVersion } from './trees.ts';

export interface InplaceDeps {
  /** A directory of this back end alone, below a path of `keep`, on the file system of the root; emptied first. */
  readonly dir: string;
  /** Where finished layers go; it outlives the back end. */
  readonly layerDir: string;
  /** What a process that was killed left to put right; outlives us. */
  readonly journalFile: string;
  /** Absolute paths that are never touched, besides mounts. */
  readonly keep: readonly string[];
  /** Those of `keep` that are directories of ours. */
  readonly own: readonly string[];
  /** Paths besides `dir` and `journalFile` that this process writes to while a RUN runs. */
  readonly written: readonly string[];
  readonly syscalls: Syscalls;
  /** Runs commands in this very root. */
  readonly runner: Runner;
  readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
  readonly createLayerWriter: (file: string, compression: Compression) => FileLayerWriter;
  /** A layer of this build as one to extract. */
  readonly blobOf: (layer: StagedLayer) => LayerBlob;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface InplaceBackend extends RootfsBackend {
  /** Makes the root file system this state, for good. */
  settle(state: RootfsState): Promise<void>;
}

/**
 * The back end that builds in the root file system of our own container, without the right to mount. Every stage is a
 * directory, in which COPY and WORKDIR write; for a RUN its entries are moved into the root and back again, so that it has
 * /proc and all mounts of the container. One step at a time.
 */
export function createInplaceBackend(deps: InplaceDeps): InplaceBackend {
  const { emit, syscalls, keep } = deps;
  freshDirectory(deps.dir, 0o700);
  const journal = openJournal(deps.journalFile);
  const stages = join(deps.dir, 'stages');
  mkdirSync(stages);
  const trees = createStageTrees({ ...deps, dir: stages });
  const tick = join(deps.dir, 'tick');
  const openBeneath = createBeneath(syscalls);
  const foreign = createForeignContent({
    ...deps,
    written: [deps.dir, deps.journalFile, ...deps.written],
    tickFile: tick,
  });
  const versions = new WeakMap<RootfsState, TreeVersion>();
  const bases = new Map<string, RootfsState>();
  const writing = new Set<Promise<unknown>>();
  let count = 0;

  const createState = (layers: TreeVersion['layers']): RootfsState => {
    count += 1;
    const version: TreeVersion = { number: count, layers };
    const state: RootfsState = {
      begin: async () => begin(state, version, await trees.taken(version)),
      beginThrowaway: async () => {
        const tree = await trees.fresh(version);
        return { root: tree.dir, abandon: async () => trees.remove(tree) };
      },
      read: async (use) => {
        const tree = await trees.shared(version);
        tree.readers += 1;
        try {
          return await use(tree.dir);
        } finally {
          tree.readers -= 1;
        }
      },
    };
    versions.set(state, version);
    return state;
  };

  const begin = (state: RootfsState, version: TreeVersion, tree: StageTree): RootfsStep => {
    const before = tree.table ?? readTable(syscalls, tree.dir);
    const since = waitForTick(tick);
    const stains: Stain[] = [];
    return {
      root: tree.dir,
      run: async (spec) => {
        const prepared = prepareMountPoints(tree.dir, spec.mounts, syscalls);
        try {
          const look = foreign.look(tree.dir, spec);
          const entered = enterRoot(tree.dir, { keep, syscalls });
          let hide = (): void => {};
          try {
            const targets = prepared.mounts.map(({ target }) => target);
            hide = look.show(entered.pins, targets);
            const aside = freshDirectory(join(deps.dir, 'aside'), 0o700);
            const restore = placeMounts(prepared.mounts, {
              ...entered,
              aside,
              journal,
              syscalls,
              cwd: spec.cwd,
            });
            try {
              const { result, stains: found } = await look.watch(() =>
                timed(emit, 'run', () => deps.runner.run({ ...spec, root: '/', mounts: [] })),
              );
              stains.push(...found);
              return result;
            } finally {
              restore();
            }
          } finally {
            hide();
            entered.leave(before);
            forgetChanged(prepared.mounts, since);
          }
        } finally {
          prepared.undo();
        }
      },
      commit: async (options) => {
        const { table, entries, xattrs } = await timed(emit, 'snapshot', async () => {
          const after = readTable(syscalls, tree.dir, before);
          const snapshot = await scanTable(before, after, {
            syscalls,
            root: tree.dir,
            xattrs: tree.xattrs,
            mtime: options.mtime,
            previous: async (wanted) => previousContent(await version.layers(), wanted),
          });
          return { table: after, ...snapshot };
        });
        Object.assign(tree, { table, xattrs, version: version.number });
        if (entries.length === 0) return { state, layer: Promise.resolve(undefined), stains };
        const layer = write(entries, tree, options);
        const next = createState(async () => [...(await version.layers()), deps.blobOf(await layer)]);
        tree.version = versions.get(next)!.number;
        return { state: next, layer, stains };
      },
      abandon: async () => trees.remove(tree),
    };
  };

  /** A RUN can write to what is mounted read-only; a stage that it changed is extracted anew when it is needed again. */
  const forgetChanged = (mounts: readonly RunMount[], since: bigint): void => {
    for (const mount of mounts) {
      const tree = mount.type === 'bind' ? trees.owner(mount.within ?? mount.source) : undefined;
      if (!tree || mount.type !== 'bind') continue;
      const source = mountSourcePath(openBeneath, mount);
      if (lstatSync(fsPath(source)).isDirectory() && changedSince(syscalls, source, since))
        tree.version = undefined;
    }
  };

  const write = (
    entries: Parameters<typeof writeSnapshot>[0],
    tree: StageTree,
    options: CommitOptions,
  ): Promise<StagedLayer> => {
    const file = join(deps.layerDir, `layer${process.hrtime.bigint()}`);
    const layer = timed(emit, 'compress', async () =>
      writeSnapshot(entries, deps.createLayerWriter(file, options.compression), syscalls),
    );
    tree.written = layer.catch(() => {});
    writing.add(layer);
    void layer.catch(() => {}).then(() => writing.delete(layer));
    return layer;
  };

  return {
    kind: 'inplace',
    expectRun: () => deps.runner.prepare(),
    fromLayers: async (layers) => {
      const key = layers.map((layer) => layer.diffId).join(' ');
      const state = bases.get(key) ?? createState(async () => layers);
      bases.set(key, state);
      return state;
    },
    settle: async (state) => {
      const tree = await trees.taken(versions.get(state)!);
      enterRoot(tree.dir, { keep, syscalls });
    },
    dispose: async () => {
      await Promise.allSettled([...writing, deps.runner.close()]);
      rmSync(deps.dir, { recursive: true, force: true });
    },
  };
}

/** Whether anything in a directory changed; its own ctime does not count, for it was moved. */
function changedSince(syscalls: InplaceDeps['syscalls'], directory: string, since: bigint): boolean {
  if (lstatSync(fsPath(directory), { bigint: true }).mtimeNs >= since) return true;
  const changed = (table: DirectoryTable): boolean =>
    [...entriesOf(table).values()].some(
      ({ facts, inside }) => timeOf(facts, 'ctime') >= since || (inside && changed(inside)),
    );
  return changed(readTable(syscalls, directory));
}
