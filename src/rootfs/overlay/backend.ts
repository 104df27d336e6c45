import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { once } from '../../core/concurrency.ts';
import type { Digest } from '../../core/digest.ts';
import { timed } from '../../core/events.ts';
import { MNT_DETACH } from '../../sys/constants.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Runner } from '../../sys/run.ts';
import type { Syscalls } from '../../sys/types.ts';
import { prepareMountPoints } from '../mount-points.ts';
import { scanUpper } from '../snapshot/scan.ts';
import { settleTimes } from '../snapshot/settle-times.ts';
import { createSnapshotWriter, type SnapshotWriterDeps } from '../snapshot/writer.ts';
import type { ExtractRequest, RootfsBackend, RootfsState, RootfsStep, StagedLayer } from '../types.ts';
import { createOverlayBases } from './bases.ts';
import { createOverlayMounts } from './mounts.ts';

/** What a step begins on. */
interface Below {
  readonly state: RootfsState;
  readonly lowers: readonly string[];
  readonly layers: Promise<readonly Digest[] | undefined>;
  readonly view: () => string;
}

const NO_LAYERS: Promise<undefined> = Promise.resolve(undefined);

export interface OverlayDeps extends SnapshotWriterDeps {
  /**
   * A directory that is this back end's alone, not on an overlay itself; its path should be short. The
   * caller deletes it after `dispose`.
   */
  readonly workDir: string;
  readonly syscalls: Syscalls;
  readonly runner: Runner;
  readonly extract: (request: ExtractRequest) => Promise<unknown>;
  /** As OverlayBasesDeps. */
  readonly sharedBases?: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/**
 * The back end that builds into directories with overlay mounts: every step's upper directory is its layer. Layers are
 * materialised once, on top of what already holds those below, and states are such bases and the upper directories above.
 */
export function createOverlayBackend(deps: OverlayDeps): RootfsBackend {
  const { workDir, syscalls, emit } = deps;
  const snapshots = createSnapshotWriter(deps);
  const overlays = createOverlayMounts(syscalls, workDir);
  let count = 0;
  const nextDir = (kind: string): string => {
    count += 1;
    const dir = join(workDir, `${kind}${count}`);
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    return dir;
  };

  const bases = createOverlayBases({
    syscalls,
    signal: deps.signal,
    nextDir: () => nextDir('b'),
    extract: (layers, target) =>
      deps.extract({ layers, target, privileged: true, emit, signal: deps.signal }),
    ...(deps.sharedBases ? { shared: deps.sharedBases } : {}),
    view: (lowers) => createState(lowers, NO_LAYERS).read(async (root) => root),
  });

  /**
   * @param lowers directories, lowest first
   * @param layers those that would make the same, once that is known; undefined where none would, to the last time
   */
  const createState = (
    lowers: readonly string[],
    layers: Promise<readonly Digest[] | undefined>,
  ): RootfsState => {
    const view = once(() =>
      lowers.length === 1 ? lowers[0]! : overlays.mountReadOnly(lowers, nextDir('v')),
    );
    const state: RootfsState = {
      read: async (use) => use(view()),
      begin: async () => begin({ state, lowers, layers, view }),
      beginThrowaway: async () => begin({ state, lowers, layers, view }),
    };
    return state;
  };

  const begin = ({ state, lowers, layers, view }: Below): RootfsStep => {
    const dir = nextDir('s');
    const [upper, work, root] = [join(dir, 'u'), join(dir, 'w'), join(dir, 'm')];
    for (const path of [upper, work, root]) mkdirSync(path);
    chmodSync(upper, 0o755);
    overlays.mount(lowers, { upper, work }, root);
    let mounted = true;
    const unmount = (): void => {
      if (mounted) overlays.unmount(root);
      mounted = false;
    };
    return {
      root,
      run: async (spec) => {
        const prepared = prepareMountPoints(root, spec, syscalls);
        try {
          return await timed(emit, 'run', () => deps.runner.run({ ...spec, root, mounts: prepared.mounts }));
        } finally {
          prepared.undo();
        }
      },
      commit: async (options) => {
        unmount();
        const scanned = await timed(emit, 'snapshot', async () =>
          scanUpper({ syscalls, upper, lower: view(), mtime: options.mtime }),
        );
        if (scanned.entries.count === 0) return { state, layer: Promise.resolve(undefined), stains: [] };
        if (options.mtime !== undefined) settleTimes(scanned, { syscalls, mtime: options.mtime });
        const layer = snapshots.write(scanned, join(dir, 'layer'), options);
        const all = [...lowers, upper];
        // With times of its own, the directory is not what its layer would make.
        const made = options.mtime === undefined ? NO_LAYERS : withLayer(layers, layer);
        void made.then((known) => known && bases.add(known, all));
        return { state: createState(all, made), layer, stains: [] };
      },
      abandon: async () => {
        unmount();
        removeTree(dir);
      },
    };
  };

  return {
    kind: 'overlay',
    expectRun: () => deps.runner.prepare(),
    fromLayers: async (layers) =>
      createState(await bases.lowersOf(layers), Promise.resolve(layers.map(({ diffId }) => diffId))),
    dispose: async () => {
      await Promise.allSettled([snapshots.settled(), bases.settled(), deps.runner.close()]);
      overlays.unmountAll(MNT_DETACH);
    },
  };
}

/** The layers below and one more; undefined where either is not to be had. */
async function withLayer(
  below: Promise<readonly Digest[] | undefined>,
  layer: Promise<StagedLayer | undefined>,
): Promise<readonly Digest[] | undefined> {
  const [known, made] = await Promise.all([below, layer.catch(() => undefined)]);
  return known && made && [...known, made.diffId];
}
