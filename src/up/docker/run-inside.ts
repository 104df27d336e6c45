import type { ChildProcess } from 'node:child_process';
import { isatty } from 'node:tty';
import type { Variables } from '../../start/environment.ts';
import { endGroup } from '../../sys/end-group.ts';
import { outcome, type RunAsOptions, type RunAsResult, type UserCommand } from '../../sys/run-as.ts';
import { withWatchedChild } from '../../sys/watched-child.ts';
import type { InsideOptions } from '../container.ts';
import type { DockerEngine } from './engine.ts';
import { environmentFlags } from './environment-flags.ts';
import { createNumberLine } from './number-line.ts';

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
    const changed = Object.entries(wanted).filter(([name, value]) => known[name] !== value);
    const { flags, env } = environmentFlags(Object.fromEntries(changed));
    const removed = Object.keys(known).filter((name) => !Object.hasOwn(wanted, name));
    const streams = onOutput ? [] : ['--interactive', ...(isatty(0) && isatty(1) ? ['--tty'] : [])];
    const command = inside({ argv, removed, tells: onOutput !== undefined });
    const number = createNumberLine((chunk) => onOutput?.('stdout', chunk));
    const start = () =>
      docker.start(['exec', ...streams, '--user', user, '--workdir', cwd, ...flags, id, ...command], {
        env,
        detached: onOutput !== undefined,
        stdio: onOutput ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', 'inherit'],
      });
    const end = async (child: ChildProcess): Promise<void> => {
      if (child.pid === undefined || onOutput === undefined) child.kill('SIGTERM');
      else await Promise.all([endGroup(child.pid), endInside(docker, id, number.known())]);
    };
    return withWatchedChild({ path: process.env.PATH, start, leads: false, end, signal }, (child) => {
      started?.(() => child.pid);
      child.stdout?.on('data', number.take);
      child.stdout?.once('end', number.end);
      child.stderr?.on('data', (chunk: Buffer) => onOutput?.('stderr', chunk));
      const { promise, resolve } = Promise.withResolvers<RunAsResult>();
      child.once('error', ({ message }) => resolve({ exitCode: 127, failure: { message, exitCode: 127 } }));
      child.once('close', (code, ended) => resolve(outcome(code, ended)));
      return promise;
    });
  };
}

/**
 * A command that does not see some variables, which the engine gives to every process, and tells on a first line which
 * number it has in the container.
 */
function inside({
  argv,
  removed,
  tells,
}: {
  readonly argv: readonly string[];
  readonly removed: readonly string[];
  readonly tells: boolean;
}): readonly string[] {
  const plain = removed.filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  const lines = [...(plain.length > 0 ? [`unset ${plain.join(' ')}`] : []), ...(tells ? ['echo "$$"'] : [])];
  return lines.length === 0 ? argv : ['/bin/sh', '-c', [...lines, 'exec "$@"'].join('; '), '-', ...argv];
}

/** What has a number in the container leads a process group there, as every command that an engine starts beside the first. */
const END = `kill -TERM "-$1"
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do kill -0 "-$1" || exit 0; sleep 0.1; done
kill -KILL "-$1"`;

/** Ends a command in a container: with its client alone it would go on. */
async function endInside(docker: DockerEngine, id: string, number: string | undefined): Promise<void> {
  if (number === undefined) return;
  const args = ['exec', '--user', '0', id, '/bin/sh', '-c', END, '-', number];
  await docker.call(args, { doing: 'end a command in the container' }).catch(() => {});
}
