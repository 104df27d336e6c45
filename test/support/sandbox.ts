import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDir, testCacheDir } from '../../scripts/lib/cache-dir.ts';
import { watchPeakMemory } from '../../scripts/lib/peak-memory.ts';
import { PATIENCE_MS } from '../../src/core/testing.ts';
import { type CliResult, commandLine } from './envbuilder.ts';
import { removeDir, waitUntil } from './remove-dir.ts';

/** A directory for one test: a context, and a place of its own for everything that the command line writes. */
export interface Sandbox {
  readonly dir: string;
  readonly context: string;
  readonly work: string;
  readonly state: string;
  readonly cache: string;
  /** Writes files of the context, by path. */
  write(files: Readonly<Record<string, string>>): void;
  /** A path beside the context that does not exist yet. */
  path(name: string): string;
  build(args?: readonly string[], options?: SandboxOptions): Promise<SandboxResult>;
  /**
   * Fails unless mounts, secrets and half-written files of every command so far are gone, and the work directory is empty
   * soon.
   */
  assertClean(): void;
  close(): void;
}

export interface SandboxResult extends CliResult {
  /** Most resident memory of the command line itself. */
  readonly peakMiB: number;
}

export interface SandboxOptions {
  /** `build` unless something else is named; `start` is the command line without a command and a context. */
  readonly command?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A program with its arguments that runs the command line, such as `setpriv …`. */
  readonly under?: readonly string[];
  /** After which the command line is killed; PATIENCE_MS unless something else is said. */
  readonly timeoutMs?: number;
  /** Replaces the context as last argument. */
  readonly context?: string;
  /** Called with all output so far, and what sends a signal to the command line itself. */
  readonly watch?: (output: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** A new sandbox with these files in its context; plain output unless the arguments say otherwise. */
export function createSandbox(files: Readonly<Record<string, string>> = {}): Sandbox {
  // Processes of other users must be able to go through it.
  const dir = realpathSync(temporaryDir('test'));
  chmodSync(dir, 0o755);
  const at = (name: string): string => join(dir, name);
  const [context, work, state, cache] = [at('context'), at('work'), at('state'), at('cache')];
  mkdirSync(context);
  const write = (more: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(more)) {
      mkdirSync(dirname(join(context, name)), { recursive: true });
      writeFileSync(join(context, name), text);
    }
  };
  write(files);
  const shmBefore = sharedMemory();
  return {
    dir,
    context,
    work,
    state,
    cache,
    write,
    path: at,
    build: (args = [], { command = 'build', env, context: other, ...rest } = {}) =>
      runCli(
        command === 'start'
          ? ['--progress=plain', ...args]
          : [...command.split(' '), '--progress=plain', ...args, other ?? context],
        {
          ...rest,
          cwd: dir,
          env: {
            HOME: dir,
            XDG_CACHE_HOME: join(testCacheDir(), 'xdg'),
            ENVBUILDER_WORK_DIR: work,
            ENVBUILDER_STATE_DIR: state,
            ...env,
          },
        },
      ),
    assertClean: () => {
      const left = (): readonly string[] => (existsSync(work) ? readdirSync(work) : []);
      waitUntil(() => left().length === 0);
      assert.deepEqual(left(), [], 'the work directory is not empty');
      const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(`${dir}/`));
      assert.deepEqual(mounts, [], 'mounts are left');
      // Node's own recursive listing follows links, round and round where one leads back.
      const half = spawnSync('find', [dir, '-printf', '%P\\n'], { encoding: 'utf8', maxBuffer: 1 << 28 })
        .stdout.split('\n')
        .filter((name) => !name.startsWith('context/') && /\.tmp|\.new-|\.partial|_uploads\/./.test(name));
      assert.deepEqual(half, [], 'half-written files are left');
      const shm = [...sharedMemory()].filter((name) => !shmBefore.has(name) && !usedByOthers(name));
      assert.deepEqual(shm, [], 'secrets are left in /dev/shm');
    },
    close: () => removeDir(dir),
  };
}

interface RunOptions extends Pick<SandboxOptions, 'under' | 'watch' | 'timeoutMs'> {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Unlike `envbuilder`, this knows no state of earlier runs and can run the command line under another program. */
async function runCli(
  args: readonly string[],
  { under = [], watch, cwd, env, timeoutMs = PATIENCE_MS }: RunOptions,
): Promise<SandboxResult> {
  const [program = '', ...rest] = [...under, commandLine, ...args];
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(ENVBUILDER_|KANIKO_|DOCKER_|NODE_|SSL_CERT_|XDG_)/.test(name) && !/_proxy$/i.test(name),
  );
  const child = spawn(program, rest, {
    cwd,
    env: { ...Object.fromEntries(kept), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const peak = watchPeakMemory(child.pid ?? 0);
  const streams = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text;
      watch?.(streams.stdout + streams.stderr, (signal) => child.kill(signal));
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on('error', reject);
  child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  const code = await promise;
  return { code, ...streams, peakMiB: peak(), output: `${streams.stdout}\n${streams.stderr}` };
}

function sharedMemory(): ReadonlySet<string> {
  const names = existsSync('/dev/shm') ? readdirSync('/dev/shm') : [];
  return new Set(names.filter((name) => name.startsWith('envbuilder-')));
}

/** Whether the process that a directory in /dev/shm is named after is still running: a build of another test file. */
function usedByOthers(name: string): boolean {
  const pid = /^envbuilder-build-(\d+)-/.exec(name)?.[1];
  return pid !== undefined && existsSync(`/proc/${pid}`);
}
