import koffi from 'koffi';
import { createListRunner, type RunList } from './call-list.ts';
import { systemError } from './syscalls.ts';

/** The system calls that only the helper of RUNs needs. Each throws as those of Syscalls do. */
export interface HelperCalls {
  /** The two ends of a pipe, closed over execve(2). */
  pipe(): { readonly read: number; readonly write: number };
  /** Makes an open directory the calling thread's root and working directory. */
  changeRoot(fd: number): void;
  /** Starts a process. */
  readonly runList: RunList;
  /** How a child ended; undefined while it runs. A child's end is told once. */
  endOf(pid: number): ChildEnd | undefined;
}

/** An exit code, or the number of the signal that ended it. */
export type ChildEnd = { readonly code: number } | { readonly signal: number };

const O_CLOEXEC = 0o2000000;
const WNOHANG = 1;

/** Loaded by whoever calls this. */
export function createHelperCalls(): HelperCalls {
  const libc = koffi.load('libc.so.6');
  const c = {
    pipe2: libc.func('int pipe2(void *, int)'),
    fchdir: libc.func('int fchdir(int)'),
    chroot: libc.func('int chroot(void *)'),
    waitpid: libc.func('int waitpid(int, void *, int)'),
  };
  const check = (result: number, syscall: string): number => {
    if (result === -1) throw systemError(koffi.errno(), syscall, '');
    return result;
  };
  return {
    runList: createListRunner(),
    pipe: () => {
      const ends = Buffer.alloc(8);
      check(c.pipe2(ends, O_CLOEXEC), 'pipe2');
      return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) };
    },
    changeRoot: (fd) => {
      check(c.fchdir(fd), 'fchdir');
      check(c.chroot(Buffer.from('.\0')), 'chroot');
    },
    endOf: (pid) => {
      const status = Buffer.alloc(4);
      if (check(c.waitpid(pid, status, WNOHANG), 'waitpid') === 0) return undefined;
      // wait(2): the signal in the lowest seven bits, the exit code in the next byte.
      const signal = status[0]! & 0x7f;
      return signal === 0 ? { code: status[1]! } : { signal };
    },
  };
}
