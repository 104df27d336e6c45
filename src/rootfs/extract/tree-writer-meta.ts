import fs from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { fsPath } from '../../core/path-bytes.ts';
import type { Facts } from '../../layer/entry-store.ts';
import type { Syscalls } from '../../sys/types.ts';

export interface WriterDeps {
  readonly sys: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
  readonly emit: Emit;
}

/** Gives owners, modes, times and extended attributes to what the tree writer makes. */
export interface MetaWriter {
  /** Bits of a mode that creating a file does not give it: the umask, and those that chown takes away. */
  readonly lostBits: number;
  /** Owner, mode, extended attributes and times of an open file that was created with `entry.mode`, after its content. */
  file(fd: number, path: string, entry: Facts): void;
  /** The same by path, for anything but a regular file; `madeMode` is what it has on disk, undefined for a symlink. */
  other(path: string, entry: Facts, madeMode: number | undefined): void;
}

const SPECIAL = 0o6000;

/**
 * @param deps without `sys` entries must have no attributes and plain times
 * @param privileged restore owners and all extended attributes; without it only those of the `user.` namespace
 */
export function createMetaWriter(
  privileged: boolean,
  deps: { readonly sys: WriterDeps['sys'] | undefined; readonly emit: Emit },
): MetaWriter {
  const { sys, emit } = deps;
  const uid = process.geteuid!();
  const gid = process.getegid!();
  const lostBits = readUmask() | SPECIAL;
  const warned = new Set<string>();

  const owned = (entry: Facts): boolean => !privileged || (entry.uid === uid && entry.gid === gid);
  const setXattrs = (path: string, xattrs: ReadonlyMap<string, Buffer>): void => {
    for (const [name, value] of xattrs) {
      if (!mayRestore(name, privileged)) continue;
      try {
        sys!.setXattr(path, name, value);
      } catch (error) {
        if (isNoSpace(error)) throw hasNoRoom(path, name, value);
        if (!isRefusal(error)) throw error;
        if (privileged && name === 'security.capability') throw lostCapability(path, error);
        if (warned.has(name)) continue;
        warned.add(name);
        emit({
          type: 'warning',
          code: 'XATTR_LOST',
          text: `the file system does not take the extended attribute ${name}`,
        });
      }
    }
  };

  return {
    lostBits,
    file: (fd, path, entry) => {
      if (!owned(entry)) fs.fchownSync(fd, entry.uid, entry.gid);
      if ((entry.mode & lostBits) !== 0) fs.fchmodSync(fd, entry.mode);
      if (entry.xattrs) setXattrs(path, entry.xattrs);
      if (isPlainTime(entry)) fs.futimesSync(fd, entry.mtime, entry.mtime);
      else sys!.lutimes(path, entry.mtime, entry.mtimeNsec);
    },
    other: (path, entry, madeMode) => {
      const name = fsPath(path);
      const chown = !owned(entry);
      if (chown) fs.lchownSync(name, entry.uid, entry.gid);
      if (madeMode !== undefined && (madeMode !== entry.mode || (chown && (entry.mode & SPECIAL) !== 0))) {
        fs.chmodSync(name, entry.mode);
      }
      if (entry.xattrs) setXattrs(path, entry.xattrs);
      if (isPlainTime(entry)) fs.lutimesSync(name, entry.mtime, entry.mtime);
      else sys!.lutimes(path, entry.mtime, entry.mtimeNsec);
    },
  };
}

/** Whether node:fs can set the time: it knows no nanoseconds and takes a negative one for "now". */
function isPlainTime(entry: Facts): boolean {
  return entry.mtimeNsec === 0 && entry.mtime >= 0;
}

function mayRestore(name: string, privileged: boolean): boolean {
  if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) return false;
  return privileged || name.startsWith('user.');
}

function isRefusal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'EPERM';
}

/** What a file system says to an attribute that is larger than it takes, whatever room there is for files. */
function isNoSpace(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOSPC';
}

function hasNoRoom(path: string, name: string, { length }: Buffer): AppError {
  const { bavail, ffree } = fs.statfsSync(fsPath(dirname(path)));
  if (bavail === 0 || ffree === 0)
    return new AppError('DISK_FULL', `there is no room for an extended attribute of "${path}"`);
  return new AppError(
    'CORRUPT',
    `the file system does not take the extended attribute ${name} of "${path}", which has ${length} bytes`,
  );
}

function lostCapability(path: string, cause: unknown): AppError {
  return new AppError('PERMISSION', `cannot give "${path}" its file capabilities`, {
    hint: 'run as root with CAP_SETFCAP, on a file system with extended attributes',
    cause,
    where: { path },
  });
}

function readUmask(): number {
  const line = /^Umask:\s*([0-7]+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'));
  return line ? Number.parseInt(line[1]!, 8) : 0o777;
}
