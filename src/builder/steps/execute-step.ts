import type { Step } from '../../plan/types.ts';
import { makeDirectory } from '../../rootfs/make-directory.ts';
import type { CommitOptions, RootfsState, RootfsStep } from '../../rootfs/types.ts';
import { lookupChown } from '../../rootfs/users.ts';
import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import type { ExecuteStep } from '../stage-runner.ts';
import { type CopyStepDeps, executeCopy } from './copy-step.ts';
import { executeRun, type RunStepDeps } from './run-step.ts';
import { atStep, withoutRoom } from './step-error.ts';

export interface ExecuteDeps {
  readonly run: RunStepDeps;
  readonly copy: CopyStepDeps;
  readonly commit: CommitOptions;
}

/** Carries out one operation on top of a state and snapshots it; a failed step leaves nothing. */
export function createExecutor(deps: ExecuteDeps): ExecuteStep {
  return async (step: Step, state: RootfsState) => {
    const rootfs = await state.begin().catch((error: unknown) => {
      throw withoutRoom(step, error);
    });
    const { mtime } = deps.commit;
    try {
      // No layer holds the root's own time.
      if (mtime !== undefined) deps.copy.syscalls().lutimes(rootfs.root, mtime, 0);
      await atStep(step, rootfs.root, () => apply(deps, step, rootfs));
      return await atStep(step, rootfs.root, () => rootfs.commit(deps.commit));
    } catch (error) {
      await rootfs.abandon();
      throw error;
    }
  };
}

async function apply(deps: ExecuteDeps, step: Step, rootfs: RootfsStep): Promise<void> {
  const { operation } = step;
  switch (operation.kind) {
    case 'run':
      return executeRun(deps.run, step, operation, rootfs);
    case 'copy':
      return executeCopy(deps.copy, step, operation, rootfs.root);
    case 'workdir': {
      const owner = operation.user === '' ? undefined : lookupChown(rootfs.root, operation.user);
      withBeneath(createBeneath(), rootfs.root, (root) => makeDirectory(root, operation.path, owner));
    }
  }
}
