import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { toAppError } from '../core/error.ts';
import { inInitialNamespace } from '../core/id-map.ts';
import { CLONE } from './constants.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';
import type { RunResult, RunSpec, Syscalls } from './types.ts';

/** Runs commands as RunSpecs describe them. */
export interface Runner {
  /** Gets ready, so that a first command that comes soon need not wait; may be called often. */
  prepare(): void;
  run(spec: RunSpec): Promise<RunResult>;
  /** Waits until nothing of it is left; a command that runs meanwhile is ended. */
  close(): Promise<void>;
}

/**
 * Runs commands in namespaces of their own, as Docker runs them in a container on the host's network: the command is
 * process 1, sees its root, /proc, /dev and /sys, has Docker's default capabilities, and nothing of our environment. When
 * it ends, or the signal aborts, or we are killed, every process that it left is gone.
 * @returns a runner that throws AppError BUILD_FAILED when the command cannot be started, the signal's reason when aborted
 */
export function createRunner(syscalls: Pick<Syscalls, 'unshare' | 'setNamespace'>): Runner {
  const helpers = new Map<'any' | 'alone', HelperProcess>();
  const usable = (kind: 'any' | 'alone' = 'any'): HelperProcess => {
    const known = helpers.get(kind);
    if (known?.usable()) return known;
    const helper = startHelper('isolated', (spawnIt) => inProcessNamespace(syscalls, spawnIt));
    helpers.set(kind, helper);
    return helper;
  };
  /** In a user namespace nothing comes back from a network of its own: that needs a helper that never had another. */
  const kindFor = ({ network }: RunSpec): 'any' | 'alone' =>
    network === 'none' && !inInitialNamespace() ? 'alone' : 'any';
  return {
    prepare: () => {
      usable();
    },
    run: async (spec) => {
      spec.signal?.throwIfAborted();
      const result = await usable(kindFor(spec)).run(spec);
      spec.signal?.throwIfAborted();
      return result;
    },
    close: async () => {
      await Promise.all([...helpers.values()].map((helper) => helper.close()));
    },
  };
}

/**
 * Has a process be the first one of a namespace of processes, so that the kernel ends all below it when it ends, however
 * that comes about.
 * @throws AppError PERMISSION
 */
function inProcessNamespace(
  syscalls: Pick<Syscalls, 'unshare' | 'setNamespace'>,
  start: () => ChildProcess,
): ChildProcess {
  const home = openSync('/proc/thread-self/ns/pid', 'r');
  try {
    syscalls.unshare(CLONE.NEWPID);
    try {
      return start();
    } finally {
      syscalls.setNamespace(home, CLONE.NEWPID);
    }
  } catch (error) {
    throw toAppError(error, 'PERMISSION', 'cannot isolate a RUN');
  } finally {
    closeSync(home);
  }
}
