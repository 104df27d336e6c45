import { readFileSync } from 'node:fs';
import { inInitialNamespace } from './id-map.ts';

/** Numbers of capabilities (linux/capability.h) that system calls fail without. */
const NUMBERS = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  NET_BIND_SERVICE: 10,
  SYS_CHROOT: 18,
  SYS_ADMIN: 21,
  MKNOD: 27,
  SETFCAP: 31,
} as const;

type Name = keyof typeof NUMBERS;

/** What a system call that fails with EPERM may lack, by the man page of each; the first that is missing is named. */
const BY_CALL: readonly (readonly [RegExp, ...Name[]])[] = [
  [/chown$/, 'CHOWN'],
  [/chmod$|utime|^rm$|^rmdir$|^unlink|^rename|removexattr$/, 'FOWNER', 'DAC_OVERRIDE'],
  [/^mknod/, 'MKNOD'],
  [/setxattr$/, 'SETFCAP', 'FOWNER', 'SYS_ADMIN'],
  [/^set(?:res)?gid$|^setgroups$/, 'SETGID'],
  [/^set(?:res)?uid$/, 'SETUID'],
  [/^kill$/, 'KILL'],
  [/^chroot$/, 'SYS_CHROOT'],
  [/^u?mount|^unshare$|^setns$|^pivot_root$|^sethostname$/, 'SYS_ADMIN'],
  [/^prctl$/, 'SETPCAP'],
];

/** Calls that are refused by a network, or for a file that is no program. */
const OTHER_REASONS = /^(?:connect|getaddrinfo|send|recv|spawn|execve)/;

/** The capabilities in effect for this process, as a bit mask. */
export function effectiveCapabilities(): bigint {
  const line = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return BigInt(`0x${line?.[1] ?? '0'}`);
}

/** Why the file system or the kernel refused something, and what helps. */
export interface MissingRight {
  readonly reason: string;
  readonly hint: string;
}

/**
 * Which right of root this process lacks, going by the error that it met.
 * @returns undefined when the error is no refusal, or nothing of root's is missing
 */
export function missingRight(thrown: unknown): MissingRight | undefined {
  const { code, syscall = '' } = (thrown ?? {}) as NodeJS.ErrnoException;
  // The kernel knows no owner outside of the ids of a user namespace.
  if (code === 'EINVAL' && syscall.endsWith('chown') && !inInitialNamespace())
    return {
      reason: 'the files have owners beyond the ids that this user has',
      hint: 'install newuidmap (the package uidmap) and give the user subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"',
    };
  if ((code !== 'EPERM' && code !== 'EACCES') || OTHER_REASONS.test(syscall)) return undefined;
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0) return { reason: `this process runs as uid ${uid}`, hint: 'run it as root' };
  const caps = effectiveCapabilities();
  const missing = (name: Name): boolean => ((caps >> BigInt(NUMBERS[name])) & 1n) === 0n;
  const bind = syscall === 'listen' || syscall === 'bind';
  const needed: readonly Name[] =
    code === 'EACCES'
      ? [bind ? 'NET_BIND_SERVICE' : 'DAC_OVERRIDE']
      : BY_CALL.flatMap(([pattern, ...names]) => (pattern.test(syscall) ? names : []));
  const name = needed.find(missing);
  if (name === undefined) return syscall.startsWith('mknod') && code === 'EPERM' ? noDevices() : undefined;
  return { reason: `this process lacks CAP_${name}`, hint: `give it that capability (--cap-add=${name})` };
}

/** Why a device cannot be made by whoever has CAP_MKNOD (user_namespaces(7), cgroups(7)). */
function noDevices(): MissingRight {
  return inInitialNamespace()
    ? {
        reason: 'this container may not make devices',
        hint: 'allow it to (--privileged, or --device-cgroup-rule), or leave the device out of what is copied',
      }
    : {
        reason: 'no device can be made in a user namespace',
        hint: 'build as root of the machine, or leave the device out of what is copied',
      };
}
