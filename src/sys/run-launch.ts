import { closeSync, fchownSync } from 'node:fs';
import { hasOneId } from '../core/id-map.ts';
import { encodePath } from '../core/path-bytes.ts';
import { enterDirectory } from './become-command.ts';
import type { ListedCall } from './call-list.ts';
import { CAP, DOCKER_CAPABILITIES, LAST_CAPABILITY } from './capabilities.ts';
import { refusal } from './exec-program.ts';
import { findProgram } from './find-program.ts';
import type { HelperCalls } from './helper-calls.ts';
import type { Place } from './run-place.ts';
import { procCalls } from './run-root.ts';
import type { HelperSpec, InitFailure } from './run-types.ts';
import type { Syscalls } from './types.ts';

/** A command that was started, and the reading ends of its pipes. */
export interface Launched {
  readonly pid: number;
  readonly stdout: number;
  readonly stderr: number;
}

export interface LaunchDeps {
  readonly syscalls: Pick<Syscalls, 'effectiveCapabilities'>;
  readonly calls: HelperCalls;
  readonly place: Place;
  /** What commands read. */
  readonly stdin: number;
}

const PR_CAPBSET_DROP = 24;
const [FIRST_FD, LAST_FD, CLOSE_RANGE_CLOEXEC] = [3, 0xffffffff, 4];
const [LAST_SIGNAL, SIGKILL, SIGSTOP] = [64, 9, 19];
const [SIG_SETMASK, SET_BYTES, ACTION_BYTES] = [2, 8, 32];
const [EPERM, EINVAL] = [1, 22];

/**
 * Starts commands in the place where the calling thread is, with the identity, directory and environment that they are to
 * have, a session of their own, and nothing of ours open. The thread keeps the directory, which its caller sets anew.
 */
export function createLauncher({ syscalls, calls, place, stdin }: LaunchDeps) {
  const isolated = place.cloneFlags !== 0;
  // Without the right to it, whoever started the container has given it less than the default.
  const mayLimit = ((syscalls.effectiveCapabilities() >> BigInt(CAP.SETPCAP)) & 1n) === 1n;
  const settled = isolated ? { docker: procCalls(false), all: procCalls(true) } : { docker: [], all: [] };

  const listFor = (
    spec: HelperSpec,
    fds: readonly number[],
    path: string,
    entered: boolean,
  ): ListedCall[] => [
    { name: 'setsid', args: [] },
    ...fds.map((fd, at): ListedCall => ({ name: 'dup3', args: [fd, at, 0] })),
    ...settled[spec.privileged ? 'all' : 'docker'],
    ...(spec.privileged || !mayLimit ? [] : LIMIT_CAPABILITIES),
    ...identityCalls(spec),
    ...(entered ? [] : [{ name: 'chdir', args: [ended(encodePath(spec.cwd))] } as const]),
    { name: 'close_range', args: [FIRST_FD, LAST_FD, CLOSE_RANGE_CLOEXEC] },
    ...DEFAULT_SIGNALS,
    {
      name: 'execve',
      args: [
        ended(encodePath(path)),
        spec.argv.map(text),
        Object.entries(spec.env).map(([name, value]) => text(`${name}=${value}`)),
      ],
    },
  ];

  return (spec: HelperSpec): Launched | InitFailure => {
    const [stdout, stderr] = [calls.pipe(), calls.pipe()];
    let launched: Launched | undefined;
    try {
      place.settle(spec);
      // So that the command may open /dev/stdout.
      for (const { write } of [stdout, stderr]) fchownSync(write, spec.uid, spec.gid);
      const program = findProgram(spec.argv[0] ?? '', spec.env.PATH ?? '', spec.cwd, spec);
      if ('message' in program) return program;
      // Root may enter where the user may not, and on some network file systems it is the other way round.
      const entered = enterDirectory(spec.cwd) === undefined;
      process.umask(0o022);
      const list = listFor(spec, [stdin, stdout.write, stderr.write], program.path, entered);
      const result = calls.runList(list, place.cloneFlags);
      if ('pid' in result) {
        launched = { pid: result.pid, stdout: stdout.read, stderr: stderr.read };
        return launched;
      }
      const { name } = list[result.failed]!;
      if (name === 'execve') return refusal(program, result.error, spec.uid);
      if (name !== 'chdir') return { message: result.error.message };
      return { message: `cannot enter the working directory ${spec.cwd}: ${result.error.message}` };
    } catch (error) {
      return { message: error instanceof Error ? error.message : String(error) };
    } finally {
      for (const { read, write } of [stdout, stderr]) {
        closeSync(write);
        if (launched === undefined) closeSync(read);
      }
    }
  };
}

/** It is the bounding set that counts at execve(2). Numbers above the kernel's last capability are refused. */
const LIMIT_CAPABILITIES = Array.from({ length: LAST_CAPABILITY + 1 }, (_, cap) => cap)
  .filter((cap) => !DOCKER_CAPABILITIES.includes(cap))
  .map((cap): ListedCall => ({ name: 'prctl', args: [PR_CAPBSET_DROP, cap, 0, 0, 0], mayFail: EINVAL }));

/** Node ignores two signals, and an ignored one stays so over execve(2). */
const DEFAULT_SIGNALS: readonly ListedCall[] = [
  ...Array.from({ length: LAST_SIGNAL }, (_, index) => index + 1)
    .filter((signal) => signal !== SIGKILL && signal !== SIGSTOP)
    .map(
      (signal): ListedCall => ({
        name: 'rt_sigaction',
        args: [signal, Buffer.alloc(ACTION_BYTES), 0, SET_BYTES],
      }),
    ),
  { name: 'rt_sigprocmask', args: [SIG_SETMASK, Buffer.alloc(SET_BYTES), 0, SET_BYTES] },
];

function identityCalls({ uid, gid, groups }: HelperSpec): ListedCall[] {
  return [
    {
      name: 'setgroups',
      args: [groups.length, Buffer.from(Uint32Array.from(groups).buffer)],
      ...(hasOneId() ? { mayFail: EPERM } : {}),
    },
    { name: 'setresgid', args: [gid, gid, gid] },
    { name: 'setresuid', args: [uid, uid, uid] },
  ];
}

const text = (value: string): Buffer => ended(Buffer.from(value));

/** As C has it. */
const ended = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.of(0)]);
