import { AppError } from '../core/error.ts';
import { CAP } from './capabilities.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';
import type { Runner } from './run.ts';
import type { Syscalls } from './types.ts';

/**
 * Runs commands in our own root and namespaces: in a session of their own, with their own user, groups, environment and
 * directory, and at most Docker's default capabilities. When a command ends, or the signal aborts, or we are killed, every
 * process that it left is gone. The spec's root, mounts and host name are not looked at.
 * @returns a runner that throws AppError BUILD_FAILED when the command cannot be started, PERMISSION for what needs a right
 * that the container does not have
 */
export function createHereRunner(syscalls: Pick<Syscalls, 'effectiveCapabilities'>): Runner {
  // Those that have nothing to do: a helper ends all that is left below it, so it has one command at a time.
  const idle: HelperProcess[] = [];
  const open = new Set<HelperProcess>();
  const start = (): HelperProcess => {
    const helper = startHelper('here');
    open.add(helper);
    return helper;
  };
  return {
    prepare: () => {
      if (open.size === 0) idle.push(start());
    },
    run: async (spec) => {
      const { network, privileged, signal } = spec;
      signal?.throwIfAborted();
      const admin = ((syscalls.effectiveCapabilities() >> BigInt(CAP.SYS_ADMIN)) & 1n) === 1n;
      if (network === 'none' && !admin) throw missingRight('--network=none');
      if (privileged && !admin) throw missingRight('--security=insecure');
      const helper = idle.pop() ?? start();
      const { signal: _, ...told } = spec;
      const abort = (): void => void helper.close();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        return await helper.run(told);
      } catch (error) {
        if (!signal?.aborted) throw error;
        await helper.close();
        throw signal.reason;
      } finally {
        signal?.removeEventListener('abort', abort);
        if (helper.usable()) idle.push(helper);
      }
    },
    close: async () => {
      await Promise.all([...open].map((helper) => helper.close()));
    },
  };
}

function missingRight(flag: string): AppError {
  return new AppError('PERMISSION', `RUN ${flag} needs CAP_SYS_ADMIN, which this container does not have`, {
    hint: 'start the container with that capability, or build on a host with envbuilder build and --push-image',
  });
}
