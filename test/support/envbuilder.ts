import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { programVariable } from '../../scripts/lib/bundled-program.ts';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { capture } from '../../scripts/lib/shell.ts';
import { PATIENCE_MS } from '../../src/core/testing.ts';

export const projectRoot = join(import.meta.dirname, '..', '..');

/** The command line that tests run: the bundle that `npm test` makes, which starts sooner, else that of this checkout. */
export const commandLine = process.env[programVariable] ?? join(projectRoot, 'envbuilder');

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, for patterns that may stand in either. */
  readonly output: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
  /** What it reads from standard input. */
  readonly input?: Buffer;
  readonly onOutput?: (chunk: Buffer) => void;
}

/** Runs the command line; options and certificates of our own surroundings do not reach it. */
export async function envbuilder(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const own = Object.keys(process.env).filter((name) =>
    /^(ENVBUILDER_|KANIKO_|DOCKER_|NODE_|SSL_CERT_)/.test(name),
  );
  const env = {
    ...Object.fromEntries(own.map((name) => [name, undefined])),
    NO_COLOR: '1',
    ENVBUILDER_STATE_DIR: stateDir(),
    ...options.env,
  };
  const { code, stdout, stderr } = await capture(commandLine, args, {
    timeoutMs: options.timeoutMs ?? PATIENCE_MS,
    env,
    ...(options.input !== undefined && { input: options.input }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.onOutput !== undefined && { onOutput: options.onOutput }),
  });
  return { code, stdout: stdout.toString(), stderr, output: `${stdout.toString()}\n${stderr}` };
}

let ownState: string | undefined;

/** A directory for cache mounts that no other test run has written to. */
function stateDir(): string {
  if (ownState !== undefined) return ownState;
  const dir = temporaryDir('state');
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  ownState = dir;
  return dir;
}
