import { closeSync, constants, openSync } from 'node:fs';
import { inInitialNamespace } from '../core/id-map.ts';
import { CLONE, MS } from './constants.ts';
import { endDescendants } from './descendants.ts';
import type { HelperCalls } from './helper-calls.ts';
import { enterRoot } from './run-root.ts';
import type { HelperSpec } from './run-types.ts';
import type { Syscalls } from './types.ts';

/** Where a helper starts its commands. */
export interface Place {
  /**
   * Takes the calling thread to where a command is to start.
   * @returns the way back; when it throws, the thread can be used for nothing more
   * @throws Error when the way is closed; the thread is where it was then
   */
  enter(spec: HelperSpec): () => void;
  /** Makes the place what the command is to find there. @throws Error */
  settle(spec: HelperSpec): void;
  /** Flags of clone(2) for the command. */
  readonly cloneFlags: number;
  /** Ends whatever commands left behind. */
  endAll(): void;
}

const SIGKILL = 9;
const OWN = { mnt: CLONE.NEWNS, uts: CLONE.NEWUTS, ipc: CLONE.NEWIPC, net: CLONE.NEWNET } as const;

/** Namespaces of its own for every command, of which it is process 1, so that the kernel ends all that is left after it. */
export function createIsolatedPlace(syscalls: Syscalls, calls: HelperCalls): Place {
  const home = Object.entries(OWN).map(
    ([name, flag]) => [openSync(`/proc/thread-self/ns/${name}`, 'r'), flag] as const,
  );
  const root = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  const goBack = (flags: number): void => {
    // The machine's network is not that of a user namespace, so that there is no way back to it.
    const back = inInitialNamespace() ? flags : flags & ~CLONE.NEWNET;
    for (const [fd, flag] of home) if ((back & flag) !== 0) syscalls.setNamespace(fd, flag);
    // The way into a mount namespace ends at its first mount, and that need not be our root.
    calls.changeRoot(root);
  };
  // With this process ends its own namespace of processes, and so do all those inside.
  syscalls.dieWithParent(SIGKILL);
  return {
    cloneFlags: CLONE.NEWPID,
    enter: (spec) => {
      const network = spec.network === 'none' ? CLONE.NEWNET : 0;
      const flags = CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | network;
      syscalls.unshare(flags);
      try {
        syscalls.mount('', '/', '', MS.REC | MS.PRIVATE);
        if (network !== 0) syscalls.loopbackUp();
      } catch (error) {
        goBack(flags);
        throw error;
      }
      return () => goBack(flags);
    },
    settle: (spec) => {
      enterRoot(syscalls, spec);
      syscalls.sethostname(spec.hostname);
    },
    endAll: () => {},
  };
}

/** The helper's own root and namespaces, one command at a time. */
export function createHerePlace(syscalls: Syscalls): Place {
  syscalls.adoptOrphans();
  return {
    cloneFlags: 0,
    enter: (spec) => {
      if (spec.network === 'host') return () => process.chdir('/');
      const home = openSync('/proc/thread-self/ns/net', 'r');
      try {
        syscalls.unshare(CLONE.NEWNET);
      } catch (error) {
        closeSync(home);
        throw error;
      }
      return () => {
        process.chdir('/');
        syscalls.setNamespace(home, CLONE.NEWNET);
        closeSync(home);
      };
    },
    settle: (spec) => {
      if (spec.network === 'none') syscalls.loopbackUp();
    },
    endAll: () => endDescendants(syscalls),
  };
}
