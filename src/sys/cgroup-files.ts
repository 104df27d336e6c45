import { join, relative } from 'node:path/posix';
import type { MountEntry } from './mount-table.ts';

export interface CgroupQuery {
  /** As in `memory`. */
  readonly controller: string;
  /** Names of files whose contents belong together; only groups that have all of them count. */
  readonly files: readonly string[];
  /** The content of /proc/self/cgroup. */
  readonly cgroups: string;
  readonly mounts: readonly MountEntry[];
  /** The content of a file, empty where there is none. */
  readonly read: (path: string) => string;
}

/**
 * What files say of the control group of this process and of all those around it that can be seen, in version 1 and
 * version 2 (cgroups(7)): each can only take away from those above it.
 * @returns the contents of the files of one group with a space between them, the innermost group first
 */
export function cgroupFiles({ controller, files, cgroups, mounts, read }: CgroupQuery): string[] {
  const groups = cgroups
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .flatMap((match) => (match ? [{ controllers: match[1]!.split(','), path: match[2]! }] : []));
  return groups.flatMap(({ controllers, path }) => {
    const unified = controllers[0] === '';
    if (!unified && !controllers.includes(controller)) return [];
    const mount = mounts.findLast(({ fsType, mountPoint }) =>
      unified ? fsType === 'cgroup2' : fsType === 'cgroup' && isOf(mountPoint, controller),
    );
    return mount ? upwards(mount, path).flatMap((group) => contents(group)) : [];
  });

  function contents(group: string): string[] {
    const texts = files.map((file) => read(join(group, file)).trim());
    return texts.every(Boolean) ? [texts.join(' ')] : [];
  }
}

/** Controllers of version 1 are mounted at their names: `/sys/fs/cgroup/cpu,cpuacct`. */
function isOf(mountPoint: string, controller: string): boolean {
  return mountPoint.split('/').at(-1)!.split(',').includes(controller);
}

/** The directories from that of a group up to the mount; the group's own path may be one of another namespace. */
function upwards({ mountPoint, root }: MountEntry, path: string): string[] {
  const inside = relative(root, path);
  const parts = inside === '' || inside.startsWith('..') ? [] : inside.split('/');
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    join(mountPoint, ...parts.slice(0, parts.length - i)),
  );
}
