/*
 * Becomes a command in a container that runs: it has been put into its namespaces but for that of mounts, which descriptor 5
 * is, since our own program is not in there. Descriptor 3 gives a JoinSpec as JSON, 4 takes why it could not be started.
 */
import { closeSync, fchownSync, readFileSync, writeSync } from 'node:fs';
import { becomeCommand } from '../sys/become-command.ts';
import { containerCapabilities } from '../sys/capabilities.ts';
import { CLONE } from '../sys/constants.ts';
import type { InitFailure } from '../sys/run-types.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { takeTerminal } from '../sys/terminal.ts';
import type { JoinSpec } from './spec.ts';

const [SPEC_FD, STATUS_FD, MOUNTS_FD] = [3, 4, 5];

function fail(failure: InitFailure): never {
  writeSync(STATUS_FD, JSON.stringify(failure));
  process.exit(failure.exitCode ?? 1);
}

try {
  const command = JSON.parse(readFileSync(SPEC_FD, 'utf8')) as JoinSpec;
  closeSync(SPEC_FD);
  const syscalls = createSyscalls();
  // A thread that shares its root with others cannot change its namespace of mounts (setns(2)).
  syscalls.unshare(CLONE.FS);
  syscalls.setNamespace(MOUNTS_FD, CLONE.NEWNS);
  if (command.terminal) {
    // As login does it, so that the user can open it by its name.
    fchownSync(0, command.uid, -1);
    takeTerminal();
  }
  if (!command.privileged) syscalls.setCapabilities(containerCapabilities(command));
  fail(becomeCommand(command));
} catch (error) {
  fail({ message: error instanceof Error ? error.message : String(error) });
}
