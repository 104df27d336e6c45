import { closeSync, constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { once } from '../core/concurrency.ts';
import { hasOneId } from '../core/id-map.ts';
import { effectiveCapabilities } from '../core/missing-right.ts';
import { encodePath } from '../core/path-bytes.ts';
import { LAST_CAPABILITY } from './capabilities.ts';
import { createDirectoryLister } from './list-directory.ts';
import type { Syscalls } from './types.ts';

/** LOCK_EX | LOCK_NB and LOCK_SH | LOCK_NB of flock(2). */
const [LOCK_EX_NB, LOCK_SH_NB] = [6, 5];
/** For netdevice(7). */
const [AF_INET, SOCK_DGRAM] = [2, 2];
const [SIOCGIFFLAGS, SIOCSIFFLAGS] = [0x8913, 0x8914];
const [IFREQ_BYTES, IFNAME_BYTES, IFF_UP] = [40, 16, 1];
/** ioctl_iflags(2); TOPDIR is `chattr +T`. */
const [FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL] = [0x80086601, 0x40086602, 0x20000];
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const PR_CAPBSET_DROP = 24;
const CLOSE_RANGE_CLOEXEC = 4;
const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const XATTR_SIZE_MAX = 65536;
const LAST_SIGNAL = 64;
const WNOHANG = 1;
const [F_SETFD, F_GETFL, F_SETFL, O_NONBLOCK] = [2, 3, 4, 0o4000];
const STDERR_FD = 2;
const SYS_OPENAT2 = 437;
/** Bytes of struct open_how: flags, mode, resolve. */
const OPEN_HOW = 24;
/** Bytes of a path, its NUL among them. */
const PATH_MAX = 4096;

/** Those of this thread for whoever is given none: loaded when they are first asked for. @throws as createSyscalls */
export const sharedSyscalls: () => Syscalls = once(() => createSyscalls());

/**
 * The system calls that Node lacks, through libc. Each throws as node:fs does, with `code`, `errno`, `syscall`, `path`.
 * Loaded by whoever calls this, which costs about 15 ms.
 */
export function createSyscalls(): Syscalls {
  const libc = koffi.load('libc.so.6');
  const c = {
    mount: libc.func('int mount(void *, void *, void *, ulong, void *)'),
    umount: libc.func('int umount2(void *, int)'),
    chroot: libc.func('int chroot(void *)'),
    pivotRoot: libc.func('int pivot_root(void *, void *)'),
    unshare: libc.func('int unshare(int)'),
    setns: libc.func('int setns(int, int)'),
    sethostname: libc.func('int sethostname(void *, size_t)'),
    mknod: libc.func('int mknod(void *, uint, ulong)'),
    llistxattr: libc.func('int64_t llistxattr(void *, void *, size_t)'),
    lgetxattr: libc.func('int64_t lgetxattr(void *, void *, void *, size_t)'),
    lsetxattr: libc.func('int lsetxattr(void *, void *, void *, size_t, int)'),
    lremovexattr: libc.func('int lremovexattr(void *, void *)'),
    futimens: libc.func('int futimens(int, void *)'),
    utimensat: libc.func('int utimensat(int, void *, void *, int)'),
    // No C library of today has a function for openat2.
    openat2: libc.func('int64_t syscall(int64_t, int, int64_t, int64_t, size_t)'),
    lseek: libc.func('int64_t lseek(int, int64_t, int)'),
    closeRange: libc.func('int close_range(uint, uint, int)'),
    prctl: libc.func('int prctl(int, ulong, ulong, ulong, ulong)'),
    socket: libc.func('int socket(int, int, int)'),
    ioctl: libc.func('int ioctl(int, ulong, void *)'),
    close: libc.func('int close(int)'),
    flock: libc.func('int flock(int, int)'),
    signal: libc.func('void *signal(int, void *)'),
    fcntl: libc.func('int fcntl(int, int, ...)'),
    waitpid: libc.func('int waitpid(int, void *, int)'),
    execve: libc.func('int execve(void *, const char **, const char **)'),
  };
  const times = Buffer.alloc(32);
  const attribute = Buffer.alloc(XATTR_SIZE_MAX);
  // One struct and one path in memory that stays where it is, so that nothing is converted for a call.
  const opening = koffi.alloc('uint8_t', OPEN_HOW + PATH_MAX);
  const howAddress = Number(koffi.address(opening));
  const memory = Buffer.from(koffi.view(opening, OPEN_HOW + PATH_MAX)).fill(0);
  let listDirectory: Syscalls['listDirectory'] | undefined;

  const check = (result: number, syscall: string, path = ''): number => {
    if (result === -1) throw systemError(koffi.errno(), syscall, path);
    return result;
  };
  const setTimes = (mtimeSec: number, mtimeNsec: number): void => {
    for (const at of [0, 16]) {
      times.writeBigInt64LE(BigInt(mtimeSec), at);
      times.writeBigInt64LE(BigInt(mtimeNsec), at + 8);
    }
  };
  const bytes = (path: string): Buffer => encodePath(`${path}\0`);

  return {
    mount: (source, target, fstype, flags, data) => {
      check(
        c.mount(bytes(source), bytes(target), bytes(fstype), flags, data ? bytes(data) : null),
        'mount',
        target,
      );
    },
    umount: (target, flags = 0) => {
      check(c.umount(bytes(target), flags), 'umount', target);
    },
    chroot: (path) => {
      check(c.chroot(bytes(path)), 'chroot', path);
    },
    pivotRoot: (newRoot, putOld) => {
      check(c.pivotRoot(bytes(newRoot), bytes(putOld)), 'pivot_root', newRoot);
    },
    unshare: (flags) => {
      check(c.unshare(flags), 'unshare');
    },
    setNamespace: (fd, flag) => {
      check(c.setns(fd, flag), 'setns');
    },
    sethostname: (name) => {
      const text = Buffer.from(name);
      check(c.sethostname(text, text.length), 'sethostname');
    },
    mknod: (path, mode, major, minor) => {
      check(c.mknod(bytes(path), mode, makedev(major, minor)), 'mknod', path);
    },
    listXattrs: (path) => {
      const size = c.llistxattr(bytes(path), attribute, attribute.length);
      if (size === -1 && isUnsupported(koffi.errno())) return [];
      check(Number(size), 'llistxattr', path);
      return size === 0 ? [] : attribute.toString('utf8', 0, size - 1).split('\0');
    },
    getXattr: (path, name) => {
      const size = c.lgetxattr(bytes(path), bytes(name), attribute, attribute.length);
      if (size === -1 && (isUnsupported(koffi.errno()) || errnoName(koffi.errno()) === 'ENODATA'))
        return undefined;
      check(size, 'lgetxattr', path);
      return Buffer.from(attribute.subarray(0, size));
    },
    setXattr: (path, name, value) => {
      check(c.lsetxattr(bytes(path), bytes(name), value, value.length, 0), 'lsetxattr', path);
    },
    removeXattr: (path, name) => {
      check(c.lremovexattr(bytes(path), bytes(name)), 'lremovexattr', path);
    },
    lutimes: (path, mtimeSec, mtimeNsec) => {
      setTimes(mtimeSec, mtimeNsec);
      check(c.utimensat(AT_FDCWD, bytes(path), times, AT_SYMLINK_NOFOLLOW), 'utimensat', path);
    },
    futimes: (fd, mtimeSec, mtimeNsec) => {
      setTimes(mtimeSec, mtimeNsec);
      check(c.futimens(fd, times), 'futimens');
    },
    listDirectory: (path, open) => {
      listDirectory ??= createDirectoryLister(libc);
      return listDirectory(path, open);
    },
    openat2: (at, path, flags, mode, resolve) => {
      memory.writeUInt32LE(flags, 0);
      memory.writeUInt32LE(mode, 8);
      memory.writeUInt32LE(resolve, 16);
      const length = writePath(memory, path);
      if (length === undefined) throw systemError(os.errno.ENAMETOOLONG, 'openat2', path);
      memory[OPEN_HOW + length] = 0;
      const text = howAddress + OPEN_HOW;
      return check(Number(c.openat2(SYS_OPENAT2, at, text, howAddress, OPEN_HOW)), 'openat2', path);
    },
    dataSegments: (fd, size) => {
      const found: [number, number][] = [];
      for (let at = 0; at < size; ) {
        const start = Number(c.lseek(fd, at, SEEK_DATA));
        if (start === -1) {
          if (errnoName(koffi.errno()) === 'ENXIO') return found;
          return [[0, size]];
        }
        const end = Math.min(size, Number(c.lseek(fd, start, SEEK_HOLE)));
        found.push([start, end - start]);
        at = end;
      }
      return found;
    },
    setCapabilities: (caps) => {
      for (let cap = 0; cap <= LAST_CAPABILITY; cap += 1) {
        if (caps.includes(cap)) continue;
        const failed = c.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) === -1;
        // Numbers above the kernel's last capability are refused; all below it are dropped by then.
        if (failed && errnoName(koffi.errno()) === 'EINVAL') return;
        if (failed) throw systemError(koffi.errno(), 'prctl', '');
      }
    },
    tryLock: (fd, mode) => {
      if (c.flock(fd, mode === 'shared' ? LOCK_SH_NB : LOCK_EX_NB) === 0) return true;
      if (errnoName(koffi.errno()) === 'EAGAIN') return false;
      throw systemError(koffi.errno(), 'flock', '');
    },
    loopbackUp: () => {
      const fd = Number(c.socket(AF_INET, SOCK_DGRAM, 0));
      check(fd, 'socket');
      try {
        const request = Buffer.alloc(IFREQ_BYTES);
        request.write('lo', 'latin1');
        check(c.ioctl(fd, SIOCGIFFLAGS, request), 'ioctl', 'lo');
        request.writeInt16LE(request.readInt16LE(IFNAME_BYTES) | IFF_UP, IFNAME_BYTES);
        check(c.ioctl(fd, SIOCSIFFLAGS, request), 'ioctl', 'lo');
      } finally {
        c.close(fd);
      }
    },
    spreadDirectories: (path) => {
      const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        const flags = Buffer.alloc(8);
        if (c.ioctl(fd, FS_IOC_GETFLAGS, flags) === -1) return false;
        flags.writeUInt32LE((flags.readUInt32LE() | FS_TOPDIR_FL) >>> 0);
        return c.ioctl(fd, FS_IOC_SETFLAGS, flags) === 0;
      } finally {
        closeSync(fd);
      }
    },
    dieWithParent: (signal) => {
      check(c.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0), 'prctl');
    },
    adoptOrphans: () => {
      check(c.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl');
    },
    hideProcess: () => {
      check(c.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 'prctl');
    },
    closeOnExec: (from) => {
      check(c.closeRange(from, 0xffffffff, CLOSE_RANGE_CLOEXEC), 'close_range');
    },
    defaultSignals: () => {
      // Numbers that have no disposition (SIGKILL, SIGSTOP, those of the C library) are refused, and keep what they have.
      for (let signal = 1; signal <= LAST_SIGNAL; signal += 1) c.signal(signal, null);
    },
    setBlocking: (fd) => {
      const flags = c.fcntl(fd, F_GETFL, 'int', 0);
      // A descriptor that is closed has nothing to set.
      if (flags === -1) return;
      check(c.fcntl(fd, F_SETFL, 'int', flags & ~O_NONBLOCK), 'fcntl');
    },
    execve: (path, argv, env) => {
      for (let fd = 0; fd <= STDERR_FD; fd += 1) c.fcntl(fd, F_SETFD, 'int', 0);
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      check(c.execve(bytes(path), [...argv, null], [...variables, null]), 'execve', path);
      throw new Error('execve returned');
    },
    reapChildren: () => {
      for (;;) {
        const ended = c.waitpid(-1, null, WNOHANG);
        if (ended <= 0) return ended === 0;
      }
    },
    effectiveCapabilities,
    setCredentials: (uid, gid, groups) => {
      try {
        process.setgroups?.([...groups]);
      } catch (error) {
        // Who has one id alone is in no other group, and may not say so.
        if (!hasOneId() || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      }
      process.setgid?.(gid);
      process.setuid?.(uid);
    },
  };
}

/** Bytes of a path behind struct open_how; undefined for one that is too long. */
function writePath(memory: Buffer, path: string): number | undefined {
  // A code unit takes three bytes at most.
  if (path.length * 3 < PATH_MAX && path.isWellFormed()) return memory.write(path, OPEN_HOW, 'utf8');
  const bytes = encodePath(path);
  if (bytes.length >= PATH_MAX) return undefined;
  return bytes.copy(memory, OPEN_HOW);
}

/** glibc's dev_t: 12 and 20 bits each, split (gnu_dev_makedev). */
function makedev(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xfffn) << 8n) | ((a & ~0xfffn) << 32n) | (b & 0xffn) | ((b & ~0xffn) << 12n);
}

function errnoName(errno: number): string {
  return getSystemErrorName(-errno);
}

function isUnsupported(errno: number): boolean {
  return ['ENOTSUP', 'EOPNOTSUPP'].includes(errnoName(errno));
}

/** An error as node:fs throws it. */
export function systemError(errno: number, syscall: string, path: string): NodeJS.ErrnoException {
  const code = errnoName(errno);
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall}${path === '' ? '' : ` '${path}'`}`);
  return Object.assign(error, { code, errno: -errno, syscall, path });
}
