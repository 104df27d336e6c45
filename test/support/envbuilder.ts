import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { capture } from '../../scripts/lib/shell.ts';

export const projectRoot = join(import.meta.dirname, '..', '..');

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
  readonly onOutput?: (chunk: Buffer) => void;
}

/** Runs `./envbuilder` of this checkout; options of our own surroundings do not reach it. */
export async function envbuilder(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const own = Object.keys(process.env).filter((name) => /^(ENVBUILDER_|KANIKO_|DOCKER_|NODE_)/.test(name));
  const env = {
    ...Object.fromEntries(own.map((name) => [name, undefined])),
    NO_COLOR: '1',
    ENVBUILDER_STATE_DIR: stateDir(),
    ...options.env,
  };
  const { code, stdout, stderr } = await capture(join(projectRoot, 'envbuilder'), args, {
    timeoutMs: options.timeoutMs ?? 180_000,
    env,
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

/** Digest of the manifest, as `--metadata-file` has it. @throws Error when the file says nothing of it */
export function imageDigest(metadataFile: string): string {
  const metadata = JSON.parse(readFileSync(metadataFile, 'utf8')) as Record<string, unknown>;
  const digest = metadata['containerimage.digest'] ?? metadata.imageDigest;
  if (typeof digest !== 'string') throw new Error(`no digest in ${JSON.stringify(metadata)}`);
  return digest;
}

/** What the summary of `--progress json` and the events in it say about steps. */
export interface StepOutcome {
  readonly stage: number;
  readonly step: number;
  readonly outcome: string;
  readonly reason?: string;
}

/** The `step-finished` events of a run with `--progress json`, in order. */
export function stepOutcomes(result: CliResult): readonly StepOutcome[] {
  const outcomes: StepOutcome[] = [];
  for (const line of result.output.split('\n')) {
    if (!line.startsWith('{')) continue;
    const event = JSON.parse(line) as {
      type?: string;
      id?: { stage: number; step: number };
      outcome?: string;
      reason?: string;
    };
    if (event.type !== 'step-finished' || event.id === undefined || event.outcome === undefined) continue;
    outcomes.push({
      ...event.id,
      outcome: event.outcome,
      ...(event.reason !== undefined && { reason: event.reason }),
    });
  }
  return outcomes;
}

/** The reference in the last line that a probe prints, or undefined. */
export function cachedImage(result: CliResult): string | undefined {
  const last = result.stdout.trimEnd().split('\n').at(-1) ?? '';
  return /^ENVBUILDER_CACHED_IMAGE=(.+@sha256:[0-9a-f]{64})$/.exec(last)?.[1];
}
