import { spawn } from 'node:child_process';
import { endGroup } from '../sys/end-group.ts';
import { outcome, type RunAsOptions, type RunAsResult, type UserCommand } from '../sys/run-as.ts';
import { createWarden } from '../sys/warden.ts';

/** Runs a command on the machine as who we are, as `runAs` does it for another user; its identity is not looked at. */
export async function runOnHost(
  { argv, env, cwd }: UserCommand,
  { onOutput, signal }: RunAsOptions,
): Promise<RunAsResult> {
  signal?.throwIfAborted();
  const [program = '', ...args] = argv;
  const warden = createWarden(env.PATH);
  warden.prepare();
  const child = spawn(program, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (chunk: Buffer) => onOutput?.('stdout', chunk));
  child.stderr.on('data', (chunk: Buffer) => onOutput?.('stderr', chunk));
  let aborted: Promise<void> | undefined;
  const abort = (): void => {
    if (child.pid !== undefined) aborted = endGroup(child.pid);
  };
  signal?.addEventListener('abort', abort, { once: true });
  if (child.pid !== undefined) warden.watch(-child.pid);
  const { promise, resolve } = Promise.withResolvers<RunAsResult>();
  child.once('error', ({ message }) => resolve({ exitCode: 127, failure: { message, exitCode: 127 } }));
  child.once('exit', (code, ended) => resolve(outcome(code, ended)));
  try {
    const result = await promise;
    await aborted;
    signal?.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener('abort', abort);
    await warden.close();
  }
}
