/*
 * Becomes the first process of a container, in namespaces that were made for it: makes what it mounts, changes into its root,
 * gives up rights and identity, and is then replaced by its command. Descriptor 6 gives a ContainerSpec as JSON, 7 takes
 * STARTED, or why it could not be started.
 */
import { chmodSync, chownSync, closeSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { prepareMountPoints } from '../rootfs/mount-points.ts';
import { becomeCommand } from '../sys/become-command.ts';
import { containerCapabilities, LAST_CAPABILITY } from '../sys/capabilities.ts';
import { MS } from '../sys/constants.ts';
import { enterRoot, mountProc } from '../sys/run-root.ts';
import type { InitFailure } from '../sys/run-types.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import type { Syscalls } from '../sys/types.ts';
import { type ContainerFile, type ContainerMount, type ContainerSpec, STARTED } from './spec.ts';
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
  const all = [...spec.mounts, ...filesInMemory(`${root}.files`, spec.files ?? [], syscalls)];
  const { mounts } = prepareMountPoints(root, { mounts: all, ...command }, syscalls);
  enterRoot(syscalls, { root, mounts, hostname, privileged, network: 'host', ...command });
  syscalls.sethostname(hostname);
  mountProc(syscalls, privileged);
  syscalls.setCapabilities(capabilitiesOf(spec));
  fail(becomeCommand(command, () => writeSync(STATUS_FD, STARTED)));
} catch (error) {
  fail({ message: error instanceof Error ? error.message : String(error) });
}

/** Writes files where only our own namespace of mounts shows them. @returns what mounts them */
function filesInMemory(
  directory: string,
  files: readonly ContainerFile[],
  syscalls: Pick<Syscalls, 'mount'>,
): readonly ContainerMount[] {
  if (files.length === 0) return [];
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  syscalls.mount('tmpfs', directory, 'tmpfs', MS.NOSUID, 'mode=755');
  return files.map(({ target, content, mode, uid, gid }, at) => {
    const source = join(directory, String(at));
    writeFileSync(source, Buffer.from(content, 'base64'), { mode: 0o600 });
    chownSync(source, uid, gid);
    chmodSync(source, mode & 0o7777);
    return { type: 'bind', source, target, readonly: true };
  });
}

function capabilitiesOf(spec: ContainerSpec): readonly number[] {
  if (!spec.privileged) return containerCapabilities(spec);
  return Array.from({ length: LAST_CAPABILITY + 1 }, (_, number) => number);
}
