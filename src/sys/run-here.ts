import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AppError } from '../core/error.ts';
import { entryPoint } from '../core/own-files.ts';
import { CAP } from './capabilities.ts';
import type { Runner } from './run.ts';
import type { HereEnd, HereSpec } from './run-here-types.ts';
import type { InitFailure } from './run-types.ts';
import type { RunResult, Syscalls } from './types.ts';

/**
 * Runs commands in our own root and namespaces: in a session of their own, with their own user, groups, environment and
 * directory, and at most Docker's default capabilities. When a command ends, or the signal aborts, or we are killed, every
 * process that it left is gone. The spec's root, mounts and host name are not looked at.
 * @returns a runner that throws AppError BUILD_FAILED when the command cannot be started, PERMISSION for what needs a right
 * that the container does not have
 */
export function createHereRunner(syscalls: Pick<Syscalls, 'effectiveCapabilities'>): Runner {
  const supervisor = fileURLToPath(entryPoint('run-here-supervisor'));
  return async ({ onOutput, signal, stdin, ...spec }) => {
    signal?.throwIfAborted();
    const { argv, env, cwd, uid, gid, groups, network, privileged } = spec;
    const admin = ((syscalls.effectiveCapabilities() >> BigInt(CAP.SYS_ADMIN)) & 1n) === 1n;
    if (network === 'none' && !admin) throw missingRight('--network=none');
    if (privileged && !admin) throw missingRight('--security=insecure');
    const child = spawn(process.execPath, ['--no-warnings', supervisor], {
      env: {},
      cwd: '/',
      detached: true,
      stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    child.stdout!.on('data', (chunk: Buffer) => onOutput('stdout', chunk));
    child.stderr!.on('data', (chunk: Buffer) => onOutput('stderr', chunk));
    const texts = [4, 5].map((fd) => {
      const text = { value: '' };
      child.stdio[fd]!.on('data', (chunk: Buffer) => {
        text.value += chunk.toString('utf8');
      });
      return text;
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
    const control = child.stdio[3] as NodeJS.WritableStream & { destroy(): void };
    control.on('error', () => {});
    const told = { argv, env, cwd, uid, gid, groups, network, privileged } satisfies HereSpec;
    control.write(`${JSON.stringify(told)}\n`);
    const abort = (): void => control.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const { promise, resolve, reject } = Promise.withResolvers<HereEnd>();
      child.once('error', reject);
      child.once('close', (code, ended) => resolve({ code, signal: ended }));
      const own = await promise;
      signal?.throwIfAborted();
      return outcome(texts[0]!.value, texts[1]!.value, own, argv[0] ?? '');
    } finally {
      signal?.removeEventListener('abort', abort);
      control.destroy();
    }
  };
}

function outcome(status: string, end: string, own: HereEnd, program: string): RunResult {
  if (status !== '') {
    const { message, hint } = JSON.parse(status) as InitFailure;
    throw new AppError(
      'BUILD_FAILED',
      `cannot start ${program}: ${message}`,
      hint === undefined ? {} : { hint },
    );
  }
  const { code, signal } = end === '' ? own : (JSON.parse(end) as HereEnd);
  if (signal !== null) return { exitCode: 128 + (constants.signals[signal] ?? 0), signal };
  return { exitCode: code || (end === '' ? 1 : 0) };
}

function missingRight(flag: string): AppError {
  return new AppError('PERMISSION', `RUN ${flag} needs CAP_SYS_ADMIN, which this container does not have`, {
    hint: 'start the container with that capability, or build on a host with envbuilder build and --push-image',
  });
}
