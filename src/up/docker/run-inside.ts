import { isatty } from 'node:tty';
import type { Variables } from '../../start/environment.ts';
import { endGroup } from '../../sys/end-group.ts';
import { outcome, type RunAsOptions, type RunAsResult, type UserCommand } from '../../sys/run-as.ts';
import { createWarden } from '../../sys/warden.ts';
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
    signal?.throwIfAborted();
    const changed = Object.entries(wanted).filter(([name, value]) => known[name] !== value);
    const { flags, env } = environmentFlags(Object.fromEntries(changed));
    const removed = Object.keys(known).filter((name) => !Object.hasOwn(wanted, name));
    const streams = onOutput ? [] : ['--interactive', ...(isatty(0) && isatty(1) ? ['--tty'] : [])];
    const warden = createWarden(process.env.PATH);
    warden.prepare();
    const command = inside({ argv, removed, tells: onOutput !== undefined });
    const child = docker.start(
      ['exec', ...streams, '--user', user, '--workdir', cwd, ...flags, id, ...command],
      {
        env,
        detached: onOutput !== undefined,
        stdio: onOutput ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', 'inherit'],
      },
    );
    if (child.pid !== undefined) warden.watch(child.pid);
    started?.(() => child.pid);
    const number = createNumberLine((chunk) => onOutput?.('stdout', chunk));
    child.stdout?.on('data', number.take);
    child.stdout?.once('end', number.end);
    child.stderr?.on('data', (chunk: Buffer) => onOutput?.('stderr', chunk));
    let aborted: Promise<void> | undefined;
    const abort = (): void => {
      if (child.pid === undefined || onOutput === undefined) child.kill('SIGTERM');
      else aborted = Promise.all([endGroup(child.pid), endInside(docker, id, number.known())]).then(() => {});
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
