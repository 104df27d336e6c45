import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { createBeneath, withBeneath } from '../sys/beneath.ts';
import type { ContainerMount } from './spec.ts';

/**
 * Makes the directories of volumes that are not there, and puts into those that are empty what the image has at their place,
 * with its owner and mode. The container does not run yet.
 * @throws AppError START_FAILED
 */
export function fillVolumes(root: string, mounts: readonly ContainerMount[]): void {
  for (const mount of mounts) {
    if (mount.type !== 'bind' || !mount.volume) continue;
    makeDirectories(mount.source, 0o755);
    if (readdirSync(mount.source).length > 0) continue;
    const from = withBeneath(createBeneath(), root, (within) => {
      const found = within.stat(mount.target);
      return found?.isDirectory() ? { path: within.realPath(mount.target), found } : undefined;
    });
    if (from === undefined) continue;
    const { mode, uid, gid } = from.found;
    chownSync(mount.source, Number(uid), Number(gid));
    chmodSync(mount.source, Number(mode) & 0o7777);
    const copied = spawnSync('cp', ['-a', '--', `${join(root, from.path)}/.`, mount.source], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (copied.status !== 0)
      throw new AppError(
        'START_FAILED',
        `cannot fill the volume for ${mount.target}: ${copied.stderr.trim() || 'cp cannot be run'}`,
      );
  }
}
