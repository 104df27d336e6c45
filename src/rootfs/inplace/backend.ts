import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { timed } from '../../core/events.ts';
import { fsPath } from '../../core/path-bytes.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createBeneath } from '../../sys/beneath.ts';
import { mountSourcePath } from '../../sys/mount-source.ts';
import { timeOf } from '../../sys/path-facts.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Runner } from '../../sys/run.ts';
import type { RunMount, RunResult, Syscalls } from '../../sys/types.ts';
import type { SnapshotWriterDeps } from '../snapshot/writer.ts';
import { createTreeStates, type TreeRun } from '../trees/states.ts';
import { type DirectoryTable, entriesOf, readTable } from '../trees/table.ts';
import type {
  ExtractRequest,
  ExtractResult,
  RootfsBackend,
  RootfsState,
  StagedLayer,
  Stain,
} from '../types.ts';
import { createForeignContent } from './foreign.ts';
import { openJournal } from './journal.ts';
import { placeMounts } from './mounts.ts';
import { enterRoot, freshDirectory } from './root.ts';

export interface InplaceDeps extends SnapshotWriterDeps {
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
  /** A layer of this build as one to extract. */
  readonly blobOf: (layer: StagedLayer) => LayerBlob;
  readonly signal: AbortSignal;
}

export interface InplaceBackend extends RootfsBackend {
  /** Makes the root file system this state, for good. */
  settle(state: RootfsState): Promise<void>;
}

/** What a RUN came to, and what it met that a clean machine would not have. */
interface Watched {
  readonly result: RunResult;
  readonly stains: readonly Stain[];
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
  const tick = join(deps.dir, 'tick');
  const openBeneath = createBeneath(syscalls);
  const foreign = createForeignContent({
    ...deps,
    written: [deps.dir, deps.journalFile, ...deps.written],
    tickFile: tick,
  });

  const run = async ({ dir, spec, mounts, before, since }: TreeRun): Promise<Watched> => {
    const look = foreign.look(dir, spec);
    const entered = enterRoot(dir, { keep, syscalls });
    let hide = (): void => {};
    try {
      hide = look.show(
        entered.pins,
        mounts.map(({ target }) => target),
      );
      const aside = freshDirectory(join(deps.dir, 'aside'), 0o700);
      const restore = placeMounts(mounts, { ...entered, aside, journal, syscalls, cwd: spec.cwd });
      try {
        return await look.watch(() =>
          timed(emit, 'run', () => deps.runner.run({ ...spec, root: '/', mounts: [] })),
        );
      } finally {
        restore();
      }
    } finally {
      hide();
      entered.leave(before);
      forgetChanged(mounts, since);
    }
  };

  /** A RUN can write to what is mounted read-only; a stage that it changed is extracted anew when it is needed again. */
  const forgetChanged = (mounts: readonly RunMount[], since: bigint): void => {
    for (const mount of mounts) {
      if (mount.type !== 'bind' || !states.holds(mount.within ?? mount.source)) continue;
      const source = mountSourcePath(openBeneath, mount);
      if (lstatSync(fsPath(source)).isDirectory() && changedSince(syscalls, source, since))
        states.forget(mount.within ?? mount.source);
    }
  };

  const states = createTreeStates({
    ...deps,
    dir: stages,
    tickFile: tick,
    takesBack: true,
    layerFile: () => join(deps.layerDir, `layer${process.hrtime.bigint()}`),
    run,
  });

  return {
    kind: 'inplace',
    expectRun: () => deps.runner.prepare(),
    fromLayers: async (layers) => states.fromLayers(layers),
    settle: async (state) => {
      enterRoot(await states.take(state), { keep, syscalls });
    },
    dispose: async () => {
      await Promise.allSettled([states.settled(), deps.runner.close()]);
      removeTree(deps.dir);
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
