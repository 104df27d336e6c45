/* Becomes the command of a RUN in place: gives up rights first, and the network where that was asked for. */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { becomeCommand } from './become-command.ts';
import { DOCKER_CAPABILITIES } from './capabilities.ts';
import { CLONE } from './constants.ts';
import type { HereSpec } from './run-here-types.ts';
import type { InitFailure } from './run-types.ts';
import { createSyscalls } from './syscalls.ts';

const SPEC_FD = 3;
const STATUS_FD = 4;

function start(): InitFailure {
  const spec = JSON.parse(readFileSync(SPEC_FD, 'utf8')) as HereSpec;
  closeSync(SPEC_FD);
  const syscalls = createSyscalls();
  if (spec.network === 'none') {
    syscalls.unshare(CLONE.NEWNET);
    syscalls.loopbackUp();
  }
  if (!spec.privileged) {
    try {
      syscalls.setCapabilities(DOCKER_CAPABILITIES);
    } catch (error) {
      // Without CAP_SETPCAP the container was given less than the default by whoever started it.
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    }
  }
  return becomeCommand(spec);
}

function fail(failure: InitFailure): never {
  writeSync(STATUS_FD, JSON.stringify(failure));
  process.exit(failure.exitCode ?? 1);
}

try {
  fail(start());
} catch (error) {
  fail({ message: error instanceof Error ? error.message : String(error) });
}
