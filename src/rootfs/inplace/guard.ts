import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { AppError } from '../../core/error.ts';
import { type MountEntry, readMountTable } from '../../sys/mount-table.ts';

export interface GuardRequest {
  /** Where our program lies: `/.envbuilder`. */
  readonly ownDir: string;
  /** The value of KANIKO_DIR, which our image sets to `ownDir`. */
  readonly kanikoDir: string | undefined;
  /** Leaves out the check of KANIKO_DIR, and no other; the countdown is the caller's. */
  readonly force: boolean;
}

/** What is known about the root file system that is to be replaced. */
export interface RootFacts {
  readonly mounts: readonly MountEntry[];
  /** Real path of the running program. */
  readonly program: string;
  /** `ownDir` is a directory, and no symlink. */
  readonly ownDirExists: boolean;
  /** Process 1 has our mounts, but another root. */
  readonly chrooted: boolean;
  /** Process numbers are those of the machine itself. */
  readonly hostProcesses: boolean;
}

/** The inode of the first PID namespace (PROC_PID_INIT_INO, linux/proc_ns.h). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const UNIONS = ['overlay', 'fuse.fuse-overlayfs', 'aufs'];

/**
 * Refuses to go on unless the root file system is that of a container of our own, which holds our program and nothing of
 * its machine: a host, a chroot and a container that shares its root with the host are refused.
 * @throws AppError UNSAFE saying which sign is missing
 */
export function assertSafe(
  { ownDir, kanikoDir, force }: GuardRequest,
  facts: RootFacts = rootFacts(ownDir),
): void {
  if (!force && kanikoDir !== ownDir) {
    throw unsafe(
      kanikoDir === undefined ? 'KANIKO_DIR is not set' : `KANIKO_DIR is "${kanikoDir}"`,
      `our image sets it to ${ownDir}; use that image, or set ENVBUILDER_FORCE_SAFE=true if this is a container that may be emptied`,
    );
  }
  if (!facts.ownDirExists || !facts.program.startsWith(`${ownDir}/`)) {
    throw unsafe(
      `this program runs from ${facts.program}, not from ${ownDir}`,
      'run it from its own image; on a host, use envbuilder build',
    );
  }
  const root = facts.mounts.findLast(({ mountPoint }) => mountPoint === '/');
  if (!root || facts.chrooted)
    throw unsafe('the root directory is that of a chroot', 'run it as a container');
  if (facts.hostProcesses && !UNIONS.includes(root.fsType)) {
    throw unsafe(
      `/ is ${root.fsType} and the processes are those of the machine, so this looks like a host`,
      'run it as a container',
    );
  }
  if (root.source.startsWith('/dev/') && root.root === '/') {
    throw unsafe(`/ is all of the disk ${root.source}`, 'run it as a container');
  }
  if (root.shared && !UNIONS.includes(root.fsType)) {
    throw unsafe('/ is shared with other mount namespaces', 'run it as a container');
  }
}

function unsafe(reason: string, hint: string): AppError {
  return new AppError('UNSAFE', `the root file system is not replaced: ${reason}`, { hint });
}

function rootFacts(ownDir: string): RootFacts {
  return {
    mounts: readMountTable(),
    program: realpathSync(process.execPath),
    ownDirExists: lstatSync(ownDir, { throwIfNoEntry: false })?.isDirectory() ?? false,
    chrooted: isChrooted(),
    hostProcesses: readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE,
  };
}

/** Where process 1 cannot be looked at, it is of another container, or this one has fewer rights than it. */
function isChrooted(): boolean {
  try {
    if (readlinkSync('/proc/1/ns/mnt') !== readlinkSync('/proc/self/ns/mnt')) return false;
    const [first, own] = [statSync('/proc/1/root/.', { bigint: true }), statSync('/', { bigint: true })];
    return first.dev !== own.dev || first.ino !== own.ino;
  } catch {
    return false;
  }
}
