import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AppError } from '../../core/error.ts';
import { inInitialNamespace } from '../../core/id-map.ts';
import { MNT_DETACH } from '../../sys/constants.ts';
import type { Syscalls } from '../../sys/types.ts';
import { createOverlayMounts } from './mounts.ts';

/** Why there are no overlay mounts, and what would allow them. */
export interface OverlayRefusal {
  readonly why: string;
  readonly hint: string;
}

/** What a kernel says that has no overlayfs for us: not at all, not in a user namespace, or not on this file system. */
const HINTS: Readonly<Record<string, () => string>> = {
  EPERM: forbidden,
  EACCES: forbidden,
  ENODEV: () => 'faster with overlayfs (modprobe overlay, as root)',
  ENOSYS: forbidden,
  EOPNOTSUPP: otherFileSystem,
  EINVAL: otherFileSystem,
};

/**
 * Tries whether overlay mounts can be had in a directory.
 * @param workDir an existing directory, as the back end will be given; nothing stays mounted in it
 * @returns undefined when they can
 * @throws AppError when the mount fails in a way that is no refusal
 */
export function whyNoOverlay(
  syscalls: Pick<Syscalls, 'mount' | 'umount'>,
  workDir: string,
): OverlayRefusal | undefined {
  const dir = join(workDir, 'tried');
  const [lower, upper, work, target] = ['l', 'u', 'w', 'm'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const each of [lower, upper, work, target]) mkdirSync(each, { recursive: true });
  const mounts = createOverlayMounts(syscalls, dir);
  try {
    mounts.mount([lower], { upper, work }, target);
    return undefined;
  } catch (error) {
    const cause = (error as AppError).cause as NodeJS.ErrnoException | undefined;
    const hint = HINTS[cause?.code ?? ''];
    if (!hint) throw error;
    return { why: `overlay mounts are refused (${cause!.code})`, hint: hint() };
  } finally {
    mounts.unmountAll(MNT_DETACH);
  }
}

function forbidden(): string {
  return inInitialNamespace()
    ? 'faster where neither a profile of AppArmor or SELinux nor seccomp forbids mount(2)'
    : 'faster with Linux 5.11 or newer and no profile of AppArmor, SELinux or seccomp that forbids mount(2), or as root';
}

function otherFileSystem(): string {
  return 'faster with a working directory on a disk or a tmpfs (--work-dir) that is no overlay and has extended attributes';
}
