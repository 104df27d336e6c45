import { isatty } from 'node:tty';
import type { Variables } from '../../start/environment.ts';
import { endGroup } from '../../sys/end-group.ts';
import { outcome, type RunAsOptions, type RunAsResult, type UserCommand } from '../../sys/run-as.ts';
import { createWarden } from '../../sys/warden.ts';
import type { InsideOptions } from '../container.ts';
import type { DockerEngine } from './engine.ts';
import { environmentFlags } from './environment-flags.ts';

/** Who runs commands in which container. */
export interface DockerInside {
  readonly docker: DockerEngine;
  readonly id: string;
  /** As --user takes it; ids of commands are not looked at, since the engine finds the groups of a name itself. */
  readonly user: string;
  /** What every process in the container begins with. */
  readonly known: Variables;
}

/** A way to run commands in a container of an engine, as `runAs` does it here. */
export function createRunInDocker({
  docker,
  id,
  user,
  known,
}: DockerInside): (command: UserCommand, options: RunAsOptions & InsideOptions) => Promise<RunAsResult> {
  return async ({ argv, env: wanted, cwd }, { onOutput, signal, started }) => {
    signal?.throwIfAborted();
    const changed = Object.entries(wanted).filter(([name, value]) => known[name] !== value);
    const { flags, env } = environmentFlags(Object.fromEntries(changed));
    const removed = Object.keys(known).filter((name) => !Object.hasOwn(wanted, name));
    const streams = onOutput ? [] : ['--interactive', ...(isatty(0) && isatty(1) ? ['--tty'] : [])];
    const warden = createWarden(process.env.PATH);
    warden.prepare();
    const child = docker.start(
      ['exec', ...streams, '--user', user, '--workdir', cwd, ...flags, id, ...without(removed, argv)],
      {
        env,
        detached: onOutput !== undefined,
        stdio: onOutput ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', 'inherit'],
      },
    );
    if (child.pid !== undefined) warden.watch(child.pid);
    started?.(() => child.pid);
    child.stdout?.on('data', (chunk: Buffer) => onOutput?.('stdout', chunk));
    child.stderr?.on('data', (chunk: Buffer) => onOutput?.('stderr', chunk));
    let aborted: Promise<void> | undefined;
    const abort = (): void => {
      if (child.pid === undefined || onOutput === undefined) child.kill('SIGTERM');
      else aborted = endGroup(child.pid);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const { promise, resolve } = Promise.withResolvers<RunAsResult>();
    child.once('error', ({ message }) => resolve({ exitCode: 127, failure: { message, exitCode: 127 } }));
    child.once('close', (code, ended) => resolve(outcome(code, ended)));
    try {
      const result = await promise;
      await aborted;
      signal?.throwIfAborted();
      return result;
    } finally {
      signal?.removeEventListener('abort', abort);
      await warden.close();
    }
  };
}

/** A command that does not see these variables, which the engine gives to every process. */
function without(names: readonly string[], argv: readonly string[]): readonly string[] {
  const plain = names.filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return plain.length === 0 ? argv : ['/bin/sh', '-c', `unset ${plain.join(' ')}; exec "$@"`, '-', ...argv];
}
