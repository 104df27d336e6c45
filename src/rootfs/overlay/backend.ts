import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { once } from '../../core/concurrency.ts';
import { type Emit, timed } from '../../core/events.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression } from '../../layer/types.ts';
import { MNT_DETACH } from '../../sys/constants.ts';
import type { Runner } from '../../sys/run.ts';
import type { Syscalls } from '../../sys/types.ts';
import { prepareMountPoints } from '../mount-points.ts';
import { scanUpper } from '../snapshot/scan.ts';
import { settleTimes } from '../snapshot/settle-times.ts';
import { writeSnapshot } from '../snapshot/write.ts';
import type {
  CommitOptions,
  ExtractRequest,
  RootfsBackend,
  RootfsState,
  RootfsStep,
  StagedLayer,
} from '../types.ts';
import { createOverlayBases } from './bases.ts';
import { createOverlayMounts } from './mounts.ts';

export interface OverlayDeps {
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
  readonly createLayerWriter: (file: string, compression: Compression) => FileLayerWriter;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * The back end that builds into directories with overlay mounts: every step's upper directory is its layer. Layers are
 * materialised once, on top of what already holds those below, and states are such bases and the upper directories above.
 */
export function createOverlayBackend(deps: OverlayDeps): RootfsBackend {
  const { workDir, syscalls, emit } = deps;
  const writing = new Set<Promise<unknown>>();
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
    nextDir: () => nextDir('b'),
    extract: (layers, target) =>
      deps.extract({ layers, target, privileged: true, emit, signal: deps.signal }),
    ...(deps.sharedBases ? { shared: deps.sharedBases } : {}),
    view: (lowers) => createState(lowers).read(async (root) => root),
  });

  /** @param lowers directories, lowest first */
  const createState = (lowers: readonly string[]): RootfsState => {
    const view = once(() =>
      lowers.length === 1 ? lowers[0]! : overlays.mountReadOnly(lowers, nextDir('v')),
    );
    const state: RootfsState = {
      read: async (use) => use(view()),
      begin: async () => begin(state, lowers, view),
      beginThrowaway: async () => begin(state, lowers, view),
    };
    return state;
  };

  const begin = (state: RootfsState, lowers: readonly string[], view: () => string): RootfsStep => {
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
        const { entries } = scanned;
        if (entries.length === 0) return { state, layer: Promise.resolve(undefined), stains: [] };
        if (options.mtime !== undefined)
          settleTimes(scanned, { syscalls, root: upper, mtime: options.mtime });
        const layer = write(entries, join(dir, 'layer'), options);
        return { state: createState([...lowers, upper]), layer, stains: [] };
      },
      abandon: async () => {
        unmount();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  };

  const write = (
    scanned: Parameters<typeof writeSnapshot>[0],
    file: string,
    options: CommitOptions,
  ): Promise<StagedLayer> => {
    const layer = timed(emit, 'compress', async () =>
      writeSnapshot(scanned, deps.createLayerWriter(file, options.compression), syscalls),
    );
    layer.catch(() => {});
    writing.add(layer);
    void layer.finally(() => writing.delete(layer)).catch(() => {});
    return layer;
  };

  return {
    kind: 'overlay',
    expectRun: () => deps.runner.prepare(),
    fromLayers: async (layers) => createState(await bases.lowersOf(layers)),
    dispose: async () => {
      await Promise.allSettled([...writing, bases.settled(), deps.runner.close()]);
      overlays.unmountAll(MNT_DETACH);
    },
  };
}
