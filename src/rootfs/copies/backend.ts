import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { timed } from '../../core/events.ts';
import type { Runner } from '../../sys/run.ts';
import { createTreeStates, type TreeStatesDeps } from '../trees/states.ts';
import type { RootfsBackend } from '../types.ts';

export interface CopiesDeps
  extends Pick<TreeStatesDeps, 'syscalls' | 'extract' | 'createLayerWriter' | 'blobOf' | 'emit' | 'signal'> {
  /** A directory that is this back end's alone. The caller deletes it after `dispose`. */
  readonly workDir: string;
  readonly runner: Runner;
}

/**
 * The back end for where overlay mounts are refused: every stage is a directory of its own, written from its layers, which
 * its steps change; a walk before and after a step tells what that changed.
 */
export function createCopiesBackend(deps: CopiesDeps): RootfsBackend {
  const dir = join(deps.workDir, 'stages');
  mkdirSync(dir);
  let layers = 0;
  const states = createTreeStates({
    ...deps,
    dir,
    tickFile: join(deps.workDir, 'tick'),
    layerFile: () => {
      layers += 1;
      return join(deps.workDir, `layer${layers}`);
    },
    run: async ({ dir: root, spec, mounts }) => ({
      result: await timed(deps.emit, 'run', () => deps.runner.run({ ...spec, root, mounts })),
      stains: [],
    }),
  });
  return {
    kind: 'copies',
    expectRun: () => deps.runner.prepare(),
    fromLayers: async (blobs) => states.fromLayers(blobs),
    dispose: async () => {
      await Promise.allSettled([states.settled(), deps.runner.close()]);
    },
  };
}
