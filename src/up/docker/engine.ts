import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { AppError } from '../../core/error.ts';
import type { Variables } from '../../start/environment.ts';
import { withWatchedChild } from '../../sys/watched-child.ts';

/** A Docker engine, through its own command line: that knows contexts, SSH and certificates of the user. */
export interface DockerEngine {
  /**
   * Runs a command to its end.
   * @param options.doing what it is for, for the error
   * @returns its standard output
   * @throws AppError START_FAILED with what it said last
   */
  call(args: readonly string[], options: DockerCall): Promise<string>;
  /** Starts a command. @param env variables besides those of the user, for `--env NAME` */
  start(
    args: readonly string[],
    options: { readonly env: Variables; readonly stdio: StdioOptions } & Group,
  ): ChildProcess;
}

interface Group {
  /** Has it in a process group of its own. */
  readonly detached: boolean;
}

interface DockerCall {
  readonly doing: string;
  readonly env?: Variables;
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Of what a command said. */
const MOST_OF_LINE = 500;
const NOT_THERE = 'start Docker, check DOCKER_HOST and the docker context, or leave out --docker';

/** @param program the docker command @param env of the user, in which it runs */
export function createDockerEngine(program: string, env: Variables): DockerEngine {
  const start: DockerEngine['start'] = (args, { env: more, ...options }) =>
    spawn(program, args, { ...options, env: { ...env, ...more } });
  return {
    start,
    call: async (args, { doing, env: more = {}, input, signal }) => {
      const [out, err]: Buffer[][] = [[], []];
      const code = await withWatchedChild(
        {
          path: env.PATH,
          start: () => start(args, { env: more, stdio: ['pipe', 'pipe', 'pipe'], detached: true }),
          ...{ leads: true, signal },
        },
        (child) => {
          child.stdout!.on('data', (chunk: Buffer) => out!.push(chunk));
          child.stderr!.on('data', (chunk: Buffer) => err!.push(chunk));
          child.stdin!.on('error', () => {});
          child.stdin!.end(input ?? '');
          return ending(child, program, doing);
        },
      );
      if (code === 0) return Buffer.concat(out!).toString('utf8');
      const said = Buffer.concat(err!).toString('utf8').trim().split('\n').filter(Boolean);
      const reason = (said.findLast((line) => /error|cannot|denied/i.test(line)) ?? said.at(-1) ?? '').trim();
      throw new AppError(
        'START_FAILED',
        `cannot ${doing}: ${reason.slice(0, MOST_OF_LINE) || `${program} ended with code ${code}`}`,
        /connect to the docker daemon|permission denied|no such host|context/i.test(reason)
          ? { hint: NOT_THERE }
          : {},
      );
    },
  };
}

function ending(child: ChildProcess, program: string, doing: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', ({ message }) =>
    reject(
      new AppError('START_FAILED', `cannot ${doing}: ${program} cannot be run: ${message}`, {
        hint: 'install the docker command, name it with --docker-path, or leave out --docker',
      }),
    ),
  );
  child.once('close', (code) => resolve(code ?? 1));
  return promise;
}
