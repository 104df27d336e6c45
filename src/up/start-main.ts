/*
 * Becomes the first process of a container, in namespaces that were made for it: makes what it mounts, changes into its root,
 * gives up rights and identity, and is then replaced by its command. Descriptor 6 gives a ContainerSpec as JSON, 7 takes
 * STARTED, or why it could not be started.
 */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { prepareMountPoints } from '../rootfs/mount-points.ts';
import { becomeCommand } from '../sys/become-command.ts';
import { DOCKER_CAPABILITIES, LAST_CAPABILITY } from '../sys/capabilities.ts';
import { enterRoot, mountProc } from '../sys/run-root.ts';
import type { InitFailure } from '../sys/run-types.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { type ContainerSpec, STARTED } from './spec.ts';
import { fillVolumes } from './volumes.ts';

const [SPEC_FD, STATUS_FD] = [6, 7];

function fail(failure: InitFailure): never {
  writeSync(STATUS_FD, JSON.stringify(failure));
  process.exit(1);
}

try {
  const spec = JSON.parse(readFileSync(SPEC_FD, 'utf8')) as ContainerSpec;
  closeSync(SPEC_FD);
  const { root, command, hostname, privileged } = spec;
  const syscalls = createSyscalls();
  process.umask(0o022);
  fillVolumes(root, spec.mounts);
  const { mounts } = prepareMountPoints(root, { mounts: spec.mounts, ...command }, syscalls);
  enterRoot(syscalls, { root, mounts, hostname, privileged, network: 'host', ...command });
  syscalls.sethostname(hostname);
  mountProc(syscalls, privileged);
  syscalls.setCapabilities(capabilitiesOf(spec));
  fail(becomeCommand(command, () => writeSync(STATUS_FD, STARTED)));
} catch (error) {
  fail({ message: error instanceof Error ? error.message : String(error) });
}

function capabilitiesOf({ privileged, capabilities }: ContainerSpec): readonly number[] {
  const all = Array.from({ length: LAST_CAPABILITY + 1 }, (_, number) => number);
  return privileged ? all : [...DOCKER_CAPABILITIES, ...capabilities];
}
