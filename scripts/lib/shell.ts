import { spawn } from 'node:child_process';

export interface Finished {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ShellOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: Buffer | string;
  /** Called for every chunk of either stream, as it arrives. */
  readonly onOutput?: (chunk: Buffer) => void;
  readonly timeoutMs?: number;
}

/**
 * Runs a command to its end and keeps what it printed; never throws for an exit code.
 * A command ended by a signal has code 128 + 9 (SIGKILL) or 128 + 15 (any other).
 * @throws Error when the command cannot be started
 */
export async function capture(
  command: string,
  args: readonly string[],
  options: ShellOptions = {},
): Promise<Finished> {
  const { promise, resolve, reject } = Promise.withResolvers<Finished>();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk);
    options.onOutput?.(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err.push(chunk);
    options.onOutput?.(chunk);
  });
  child.on('error', reject);
  child.on('close', (code, signal) =>
    resolve({
      code: code ?? (signal === 'SIGKILL' ? 137 : 143),
      stdout: Buffer.concat(out),
      stderr: Buffer.concat(err).toString(),
    }),
  );
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  return promise;
}

/**
 * Runs a command that must succeed and returns what it printed on standard output.
 * @throws Error with the command and the end of what it printed
 */
export async function run(
  command: string,
  args: readonly string[],
  options: ShellOptions = {},
): Promise<string> {
  const finished = await capture(command, args, options);
  if (finished.code !== 0) {
    const said = `${finished.stdout.toString()}\n${finished.stderr}`.trim().split('\n').slice(-20).join('\n');
    throw new Error(`${command} ${args.join(' ')} ended with ${finished.code}:\n${said}`);
  }
  return finished.stdout.toString();
}

/** Runs `work` under a line that says what goes on, finished with the time it took; the line goes to standard error. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  process.stderr.write(`==> ${what} ...\n`);
  try {
    const result = await work();
    process.stderr.write(`    ${what}: ${seconds(performance.now() - start)}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`    ${what}: failed after ${seconds(performance.now() - start)}\n`);
    throw error;
  }
}

/** `3.2 s`, or `1 min 4 s` from a minute on. */
export function seconds(ms: number): string {
  const whole = ms / 1000;
  if (whole < 60) return `${whole.toFixed(1)} s`;
  return `${Math.floor(whole / 60)} min ${Math.round(whole % 60)} s`;
}
