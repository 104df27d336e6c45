import { spawn } from 'node:child_process';
import { outcome, type RunAsOptions, type RunAsResult, type UserCommand } from '../sys/run-as.ts';
import { withWatchedChild } from '../sys/watched-child.ts';

/** Runs a command on the machine as who we are, as `runAs` does it for another user; its identity is not looked at. */
export async function runOnHost(
  { argv, env, cwd }: UserCommand,
  { onOutput, signal }: RunAsOptions,
): Promise<RunAsResult> {
  const [program = '', ...args] = argv;
  const start = () => spawn(program, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  return withWatchedChild({ path: env.PATH, start, leads: true, signal }, (child) => {
    child.stdout.on('data', (chunk: Buffer) => onOutput?.('stdout', chunk));
    child.stderr.on('data', (chunk: Buffer) => onOutput?.('stderr', chunk));
    const { promise, resolve } = Promise.withResolvers<RunAsResult>();
    child.once('error', ({ message }) => resolve({ exitCode: 127, failure: { message, exitCode: 127 } }));
    child.once('exit', (code, ended) => resolve(outcome(code, ended)));
    return promise;
  });
}
