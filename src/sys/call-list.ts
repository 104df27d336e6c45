import koffi from 'koffi';
import { systemError } from './syscalls.ts';

/*
 * Between the start of a process and its program, some system calls have to be made inside of it, and nothing of Node can
 * run there. So the calls are a list in memory, and a few instructions that go through it are what the process runs.
 */

/** An argument of a system call: a number, or bytes or a null-terminated array of such, passed by their address. */
export type CallArgument = number | Uint8Array | readonly Uint8Array[];

/** A system call by its name. */
export interface ListedCall {
  readonly name: CallName;
  readonly args: readonly CallArgument[];
  /** The one errno with which it may fail; any other failure ends the process. */
  readonly mayFail?: number;
}

/** What came of a list: the process runs the program, or a call failed and it has ended. */
export type ListResult =
  | { readonly pid: number }
  | { readonly failed: number; readonly error: NodeJS.ErrnoException };

/** @param flags of clone(2) besides those of vfork(2) */
export type RunList = (calls: readonly ListedCall[], flags: number) => ListResult;

export type CallName = keyof typeof X64;

const X64 = {
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  execve: 59,
  chdir: 80,
  setsid: 112,
  setgroups: 116,
  setresuid: 117,
  setresgid: 119,
  prctl: 157,
  mount: 165,
  dup3: 292,
  close_range: 436,
};
const ARM64: Readonly<Record<CallName, number>> = {
  rt_sigaction: 134,
  rt_sigprocmask: 135,
  execve: 221,
  chdir: 49,
  setsid: 157,
  setgroups: 159,
  setresuid: 147,
  setresgid: 149,
  prctl: 167,
  mount: 40,
  dup3: 24,
  close_range: 436,
};

/**
 * Machines by Node's name: their system calls, and the instructions. An entry of the list is nine words: number, six
 * arguments, result, and the failure that does not count; all other failures end in exit_group(126).
 */
const MACHINES: Readonly<
  Record<string, { readonly numbers: Readonly<Record<CallName, number>>; readonly code: string }>
> = {
  x64: {
    numbers: X64,
    code: `
      4889fb          mov  rbx, rdi
      488b03          next: mov rax, [rbx]
      488b7b08        mov  rdi, [rbx+8]
      488b7310        mov  rsi, [rbx+16]
      488b5318        mov  rdx, [rbx+24]
      4c8b5320        mov  r10, [rbx+32]
      4c8b4328        mov  r8, [rbx+40]
      4c8b4b30        mov  r9, [rbx+48]
      0f05            syscall
      48894338        mov  [rbx+56], rax
      4885c0          test rax, rax
      7912            jns  done
      483b4340        cmp  rax, [rbx+64]
      740c            je   done
      bf7e000000      mov  edi, 126
      b8e7000000      mov  eax, 231
      0f05            syscall
      4883c348        done: add rbx, 72
      ebc2            jmp  next`,
  },
  arm64: {
    numbers: ARM64,
    code: `
      f30300aa        mov  x19, x0
      680240f9        next: ldr x8, [x19]
      608640a9        ldp  x0, x1, [x19, 8]
      628e41a9        ldp  x2, x3, [x19, 24]
      649642a9        ldp  x4, x5, [x19, 40]
      010000d4        svc  0
      601e00f9        str  x0, [x19, 56]
      e000f8b6        tbz  x0, 63, done
      692240f9        ldr  x9, [x19, 64]
      1f0009eb        cmp  x0, x9
      80000054        beq  done
      c00f80d2        mov  x0, 126
      c80b80d2        mov  x8, 94
      010000d4        svc  0
      73220191        done: add x19, x19, 72
      f2ffff17        b    next`,
  },
};

const ENTRY_WORDS = 9;
const [RESULT, ALLOWED] = [7, 8];
const WORD = 8;
/** No system call gives this. */
const NOT_MADE = -99_999n;
const STACK_BYTES = 64 * 1024;
const PAGE = 4096;
const [PROT_READ, PROT_WRITE, PROT_EXEC] = [1, 2, 4];
const [MAP_PRIVATE, MAP_ANONYMOUS] = [2, 0x20];
const [CLONE_VM, CLONE_VFORK, SIGCHLD] = [0x100, 0x4000, 17];
const SIG_SETMASK = 2;
const SIGNALS_BYTES = 128;

/**
 * Makes what starts processes. As with vfork(2), the calling thread waits until the process runs its program or has ended;
 * the process has the thread's namespaces, root, directory, descriptors and rights.
 * @returns the last call of its lists is an execve; it throws as node:fs does when there is no new process
 */
export function createListRunner(): RunList {
  const machine = MACHINES[process.arch];
  const libc = koffi.load('libc.so.6');
  const c = {
    mmap: libc.func('void *mmap(void *, size_t, int, int, int, long)'),
    munmap: libc.func('int munmap(void *, size_t)'),
    mprotect: libc.func('int mprotect(void *, size_t, int)'),
    clone: libc.func('int clone(uint64, uint64, int, uint64)'),
    sigmask: libc.func('int pthread_sigmask(int, void *, void *)'),
    waitpid: libc.func('int waitpid(int, void *, int)'),
  };
  const map = (size: number): { readonly at: unknown; readonly address: bigint; readonly bytes: Buffer } => {
    const at = c.mmap(null, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const address = koffi.address(at);
    if (address === 0xffff_ffff_ffff_ffffn) throw systemError(koffi.errno(), 'mmap', '');
    return { at, address, bytes: Buffer.from(koffi.view(at, size)) };
  };
  if (!machine) throw new Error(`commands cannot be started on ${process.arch}`);
  const { numbers } = machine;
  const code = map(PAGE);
  code.bytes.write(machine.code.replace(/^\s*([0-9a-f]+).*$/gm, '$1').replace(/\s/g, ''), 'hex');
  if (c.mprotect(code.at, PAGE, PROT_READ | PROT_EXEC) !== 0)
    throw systemError(koffi.errno(), 'mprotect', '');

  return (calls, flags) => {
    const listBytes = calls.length * ENTRY_WORDS * WORD;
    const data = calls.reduce(
      (sum, { args }) => sum + args.reduce<number>((all, arg) => all + roomFor(arg), 0),
      0,
    );
    const size = Math.ceil((listBytes + data + STACK_BYTES) / PAGE) * PAGE;
    const { at, address, bytes } = map(size);
    const list = createWriter(bytes, address, listBytes);
    for (const [index, { name, args, mayFail = 0 }] of calls.entries()) {
      const entry = index * ENTRY_WORDS * WORD;
      bytes.writeBigInt64LE(BigInt(numbers[name]), entry);
      for (const [position, arg] of args.entries())
        bytes.writeBigInt64LE(list.valueOf(arg), entry + (1 + position) * WORD);
      bytes.writeBigInt64LE(NOT_MADE, entry + RESULT * WORD);
      bytes.writeBigInt64LE(BigInt(-mayFail), entry + ALLOWED * WORD);
    }
    const before = Buffer.alloc(SIGNALS_BYTES);
    // A handler of ours must not run in the new process, which has our memory until it runs its program.
    c.sigmask(SIG_SETMASK, Buffer.alloc(SIGNALS_BYTES, 0xff), before);
    const pid = c.clone(
      code.address,
      address + BigInt(size),
      flags | CLONE_VM | CLONE_VFORK | SIGCHLD,
      address,
    );
    const errno = koffi.errno();
    c.sigmask(SIG_SETMASK, before, null);
    const results = calls.map((_, index) => bytes.readBigInt64LE((index * ENTRY_WORDS + RESULT) * WORD));
    c.munmap(at, size);
    if (pid === -1) throw systemError(errno, 'clone', '');
    const failed = results.findIndex(
      (result, index) =>
        result < 0 && result !== NOT_MADE && result !== BigInt(-(calls[index]!.mayFail ?? 0)),
    );
    if (failed === -1) return { pid };
    c.waitpid(pid, Buffer.alloc(WORD), 0);
    return { failed, error: systemError(-Number(results[failed]), calls[failed]!.name, '') };
  };
}

function roomFor(arg: CallArgument): number {
  if (typeof arg === 'number') return 0;
  if (arg instanceof Uint8Array) return aligned(arg.length);
  return (arg.length + 1) * WORD + arg.reduce((sum, bytes) => sum + aligned(bytes.length), 0);
}

const aligned = (length: number): number => Math.ceil(length / WORD) * WORD;

/** Puts what arguments point to behind the list. */
function createWriter(
  memory: Buffer,
  address: bigint,
  start: number,
): { valueOf(arg: CallArgument): bigint } {
  let free = start;
  const put = (bytes: Uint8Array): bigint => {
    const at = free;
    memory.set(bytes, at);
    free += aligned(bytes.length);
    return address + BigInt(at);
  };
  return {
    valueOf: (arg) => {
      if (typeof arg === 'number') return BigInt(arg);
      if (arg instanceof Uint8Array) return put(arg);
      const pointers = Buffer.alloc((arg.length + 1) * WORD);
      for (const [index, bytes] of arg.entries()) pointers.writeBigInt64LE(put(bytes), index * WORD);
      return put(pointers);
    },
  };
}
