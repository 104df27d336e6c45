import { type MountEntry, readMountTable } from '../../sys/mount-table.ts';
import { lookAt } from './look-at.ts';

/** A path that stays in the root whatever image takes its place: what a RUN finds there no image has put there. */
export interface ForeignPlace {
  readonly path: string;
  /** Something is mounted there; else it is a path that is kept. */
  readonly mounted: boolean;
  readonly writable: boolean;
  readonly directory: boolean;
  /** Its files get their times from the clock of this machine. */
  readonly localClock: boolean;
}

/** File systems of the kernel itself, with its file systems of disks and of memory; of any other, servers tell the time. */
const LOCAL = new Set(
  'bcachefs btrfs ext2 ext3 ext4 f2fs jfs overlay ramfs reiserfs tmpfs vfat xfs zfs'.split(' '),
);

/** What every container has, an image's or a build's. */
const STANDARD = ['/proc', '/sys', '/dev'];

/**
 * The foreign places of this container now. A path is named once: one that is kept below a mount belongs to the mount.
 * What is mounted at /proc, /sys and /dev is none, and neither is what is mounted below our own directories.
 * @param keep absolute paths
 * @param own directories of ours
 */
export function foreignPlaces(
  keep: readonly string[],
  own: readonly string[],
  mounts: readonly MountEntry[] = readMountTable(),
): ForeignPlace[] {
  const points = [...new Set(mounts.map(({ mountPoint }) => mountPoint))].filter((path) => path !== '/');
  const mounted = points.filter((path) => !isAtOrBelow(path, [...STANDARD, ...own]));
  const kept = [...new Set(keep)].filter(
    (path) =>
      path !== '/' &&
      !isAtOrBelow(path, [...STANDARD, ...points]) &&
      !isAtOrBelow(
        path,
        keep.filter((other) => other !== path),
      ),
  );
  return [
    ...mounted.flatMap((path) => placeAt(path, true, mounts)),
    ...kept.flatMap((path) => placeAt(path, false, mounts)),
  ];
}

/** Our own directories, which a RUN sees and may write to. */
export function ownPlaces(own: readonly string[], mounts: readonly MountEntry[]): ForeignPlace[] {
  return own.flatMap((path) => placeAt(path, false, mounts));
}

/** Whether a path is one of these or lies below one. */
function isAtOrBelow(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}/`));
}

function placeAt(path: string, mounted: boolean, mounts: readonly MountEntry[]): ForeignPlace[] {
  const stat = lookAt(path);
  const directory = stat?.isDirectory() === true;
  // A socket or a device is no content; a symlink that is kept leads to what is a place of its own.
  if (!stat || !(directory || stat.isFile())) return [];
  const mount = mounts
    .filter(({ mountPoint }) => mountPoint === '/' || isAtOrBelow(path, [mountPoint]))
    .reduce<MountEntry | undefined>(
      (best, one) => (best && best.mountPoint.length > one.mountPoint.length ? best : one),
      undefined,
    );
  const localClock = LOCAL.has(mount?.fsType ?? '');
  return [{ path, mounted, writable: !mount?.readonly, directory, localClock }];
}
