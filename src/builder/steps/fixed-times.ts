import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import type { Syscalls } from '../../sys/types.ts';

/**
 * Gives everything below a directory, and itself, one time: what a step is shown besides its own files, so that it is the
 * same whenever it was written. Links get it, and are not followed.
 * @param mtime seconds since the epoch; undefined where files keep their times, and then nothing is done
 */
export function setAllTimes(
  directory: string,
  mtime: number | undefined,
  syscalls: () => Pick<Syscalls, 'lutimes' | 'openat2'>,
): void {
  if (mtime === undefined) return;
  withBeneath(createBeneath(syscalls()), directory, (tree) => {
    const visit = (path: string): void => {
      if (tree.lstat(path, { links: 'none' })?.isDirectory())
        for (const name of tree.list(path, { links: 'none' })) visit(path === '' ? name : `${path}/${name}`);
      if (path === '') return;
      tree.at(path, (entry) => syscalls().lutimes(entry, mtime, 0), { links: 'none' });
    };
    visit('');
  });
  syscalls().lutimes(directory, mtime, 0);
}
