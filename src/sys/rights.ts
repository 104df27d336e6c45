import { AppError } from '../core/error.ts';
import { effectiveCapabilities } from '../core/missing-right.ts';
import { CAP } from './capabilities.ts';
import { readMountTable } from './mount-table.ts';
import { whyNoNamespace } from './user-namespace.ts';

type Capability = keyof typeof CAP;

/** What each capability is needed for. Some do not fail without: a file then has another mode than the image says. */
const FILES: Readonly<Partial<Record<Capability, string>>> = {
  CHOWN: 'to give files to their owners',
  DAC_OVERRIDE: 'to read and write files whatever their modes',
  FOWNER: 'to set modes and times of files of other users',
  FSETID: 'to keep set-group-ID bits',
  SETGID: 'to run commands with the groups of a user',
  SETUID: 'to run commands as a user',
};
const IN_PLACE = { ...FILES, KILL: 'to end what a RUN leaves behind' };
const MOUNTS = {
  ...FILES,
  SETPCAP: 'to limit what a RUN may do',
  SYS_CHROOT: 'to run commands in another root',
  SYS_ADMIN: 'to mount',
  MKNOD: 'to delete files of lower layers',
};

/**
 * Checks that steps can be run with overlay mounts.
 * @throws AppError PERMISSION naming what is missing, and for what
 */
export function requireBuildRights(capabilities = effectiveCapabilities()): void {
  requireRoot('running a step', () => {
    const { why, hint } = whyNoNamespace();
    return `${why}: ${hint}; a build that is completely cached needs root only to set owners`;
  });
  requireCapabilities('running a step', MOUNTS, capabilities, (missing) =>
    missing.includes('SYS_ADMIN')
      ? 'run it on a host, or in a container with --privileged'
      : `give it ${missing.map((name) => `--cap-add=${name}`).join(' ')}`,
  );
}

/**
 * Checks that the root file system of this container can be replaced, before anything is written.
 * @throws AppError PERMISSION naming what is missing, and for what
 */
export function requireInplaceRights(capabilities = effectiveCapabilities()): void {
  requireRoot(
    'replacing the root file system',
    () =>
      'start the container as root (without --user or runAsUser); the user of the image is taken at the end',
  );
  requireCapabilities('replacing the root file system', IN_PLACE, capabilities, (missing) => {
    const flags = missing.map((name) => `--cap-add=${name}`).join(' ');
    return `start the container with ${flags} (capabilities.add of its security context), or with the default capabilities`;
  });
  const root = readMountTable().findLast(({ mountPoint }) => mountPoint === '/');
  if (root?.readonly !== true) return;
  throw new AppError('PERMISSION', 'the root file system is read-only, so it cannot be replaced', {
    hint: 'start the container without --read-only (readOnlyRootFilesystem)',
  });
}

function requireRoot(what: string, hint: () => string): void {
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0)
    throw new AppError('PERMISSION', `${what} needs root, and this process runs as uid ${uid}`, {
      hint: hint(),
    });
}

function requireCapabilities(
  what: string,
  needs: Readonly<Partial<Record<Capability, string>>>,
  capabilities: bigint,
  hintFor: (missing: readonly Capability[]) => string,
): void {
  const all = Object.entries(needs) as [Capability, string][];
  const missing = all.filter(([name]) => ((capabilities >> BigInt(CAP[name])) & 1n) === 0n);
  if (missing.length === 0) return;
  const list = missing.map(([name, purpose]) => `CAP_${name} ${purpose}`).join(', ');
  throw new AppError('PERMISSION', `${what} needs rights that this process lacks: ${list}`, {
    hint: hintFor(missing.map(([name]) => name)),
  });
}
