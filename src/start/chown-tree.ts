import { closeSync, constants, lchownSync, lstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fsPath } from '../core/path-bytes.ts';
import { type BeneathDirectory, createBeneath } from '../sys/beneath.ts';
import { O_PATH } from '../sys/descriptor.ts';
import { type EntryName, entryIn, lchownEntry, lstatEntry } from '../sys/entry.ts';
import { readMountTable } from '../sys/mount-table.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';

/** Directories between two pauses in which the rest of the program gets to work. */
const BATCH = 200;

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Gives a tree to a user. Only entries that belong to somebody else are touched; symlinks are changed themselves and never
 * followed, also one that takes the place of a directory meanwhile, and what is mounted below `root` is left alone. A
 * directory is given after all that is in it, so that it shows when the end was not reached.
 * @param options.onlyRoots leaves alone what is not root's, and of the rest the groups that are not
 * @returns how many entries were changed; a missing `root` is none
 * @throws Error of lchown(2); what vanishes meanwhile is no error
 */
export async function chownTree(
  root: string,
  owner: Owner,
  { onlyRoots = false }: { readonly onlyRoots?: boolean } = {},
): Promise<number> {
  const top = lstatSync(fsPath(root), { throwIfNoEntry: false });
  if (!top) return 0;
  const wanted: Wanted = (stat) => wantedOwner(stat, owner, onlyRoots);
  const changed = top.isDirectory() ? await chownContent(root, wanted) : 0;
  const own = wanted(top);
  if (!own) return changed;
  lchownSync(fsPath(root), own.uid, own.gid);
  return changed + 1;
}

/** What an entry is to belong to; undefined where it does already, or is to be left alone. */
type Wanted = (stat: Owner) => Owner | undefined;

function wantedOwner(stat: Owner, { uid, gid }: Owner, onlyRoots: boolean): Owner | undefined {
  if (onlyRoots && stat.uid !== 0) return undefined;
  const group = onlyRoots && stat.gid !== 0 ? stat.gid : gid;
  return stat.uid === uid && stat.gid === group ? undefined : { uid, gid: group };
}

async function chownContent(root: string, wanted: Wanted): Promise<number> {
  const mounts = new Set(readMountTable().map(({ mountPoint }) => mountPoint));
  const below = createBeneath(sharedSyscalls())(root);
  try {
    // Those that are found later lie further inside, or beside.
    const directories = [''];
    let changed = 0;
    const give = (entry: EntryName): void => {
      if (giveEntry(entry, wanted)) changed += 1;
    };
    for (let i = 0; i < directories.length; i += 1) {
      const path = directories[i]!;
      const names = unlessGone(() => visit(below, path, give)) ?? [];
      for (const name of names) {
        const child = path === '' ? name : `${path}/${name}`;
        if (!mounts.has(`${root === '/' ? '' : root}/${child}`)) directories.push(child);
      }
      if (i % BATCH === BATCH - 1) await setImmediate();
    }
    for (const path of directories.slice(1).reverse())
      unlessGone(() => below.at(path, give, { links: 'none' }));
    return changed;
  } finally {
    below.close();
  }
}

/** Hands on what is in a directory and is none. @returns the names of those in it */
function visit(below: BeneathDirectory, path: string, give: (entry: EntryName) => void): string[] {
  const fd = below.open(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW, { links: 'none' });
  try {
    const directories: string[] = [];
    for (const name of below.list(path, { links: 'none' })) {
      const entry = entryIn(fd, name);
      if (lstatEntry(entry)?.isDirectory()) directories.push(name);
      else give(entry);
    }
    return directories;
  } finally {
    closeSync(fd);
  }
}

/** @returns whether it had to be changed */
function giveEntry(entry: EntryName, wanted: Wanted): boolean {
  const stat = lstatEntry(entry);
  const owner = stat && wanted({ uid: Number(stat.uid), gid: Number(stat.gid) });
  if (!owner) return false;
  unlessGone(() => lchownEntry(entry, owner.uid, owner.gid));
  return true;
}

/** Somebody may work in the tree meanwhile. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
