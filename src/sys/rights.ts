import { AppError } from '../core/error.ts';
import { CAP } from './capabilities.ts';
import type { Syscalls } from './types.ts';

/**
 * Checks that steps can be run with overlay mounts.
 * @throws AppError PERMISSION naming what is missing
 */
export function requireBuildRights({
  syscalls,
}: {
  readonly syscalls: Pick<Syscalls, 'effectiveCapabilities'>;
}): void {
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0) {
    throw new AppError('PERMISSION', `running a step needs root, and this process runs as uid ${uid}`, {
      hint: 'run envbuilder as root (sudo); a build that is completely cached needs root only to set owners',
    });
  }
  const caps = syscalls.effectiveCapabilities();
  const missing = Object.entries(CAP).filter(([, cap]) => ((caps >> BigInt(cap)) & 1n) === 0n);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => `CAP_${name}`).join(', ');
  throw new AppError(
    'PERMISSION',
    `running a step needs the right to mount, and this process lacks ${names}`,
    {
      hint: 'run it on a host, or in a container with --privileged',
    },
  );
}
