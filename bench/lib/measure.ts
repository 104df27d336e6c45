import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledProgram } from '../../scripts/lib/bundled-program.ts';
import { watchPeakMemory } from '../../scripts/lib/peak-memory.ts';
import { profileOf, type TimedEvent } from '../../scripts/lib/phase-profile.ts';
import { once } from '../../src/core/concurrency.ts';

export const root = join(import.meta.dirname, '..', '..');

/** The command line as the tarball, the .deb and the runtime image have it; made when it is first asked for. */
export const program = once(() => bundledProgram(root));

/** What a command took. */
export interface Measured {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly ms: number;
  /** Milliseconds of processor time, of the command and all that it started and waited for. */
  readonly cpuMs: number;
  /** Of the command itself. */
  readonly peakMiB: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MeasureOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The time ends when standard output matches; the command is still waited for. */
  readonly until?: RegExp;
}

/**
 * Runs a command to its end. What earlier ones have written is written back before it starts, so that nobody waits for
 * the disk on behalf of another.
 * @throws Error when the command fails or never prints what was waited for, with the end of what it said
 */
export async function measure(
  command: string,
  args: readonly string[],
  { env = {}, until }: MeasureOptions = {},
): Promise<Measured> {
  spawnSync('sync');
  const cpu = childCpuMs();
  const startedAt = Date.now();
  const start = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const peak = watchPeakMemory(child.pid ?? 0);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let end: number | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk);
    if (until && end === undefined && until.test(Buffer.concat(out).toString())) end = performance.now();
  });
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  if (!until) end = performance.now();
  const [stdout, stderr] = [out, err].map((parts) => Buffer.concat(parts).toString()) as [string, string];
  if (code !== 0 || end === undefined) {
    const said = `${stdout.slice(-2000)}${stderr.slice(-2000)}`;
    throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said}`);
  }
  return { startedAt, ms: end - start, cpuMs: childCpuMs() - cpu, peakMiB: peak(), stdout, stderr };
}

/** A run of ours, and where its time went. */
export interface OurRun extends Measured {
  readonly phases: Readonly<Record<string, number>>;
  /** Steps that were made, and not found. */
  readonly made: number;
}

/** Runs our command line, as it is installed, on this machine. */
export async function envbuilder(args: readonly string[]): Promise<OurRun> {
  return measureOurs(await program(), [args[0]!, '--progress=json', ...args.slice(1)]);
}

/** Runs something that prints the events of `--progress=json` on standard error. */
export async function measureOurs(
  command: string,
  args: readonly string[],
  options: MeasureOptions = {},
): Promise<OurRun> {
  const taken = await measure(command, args, options);
  const events = eventsOf(taken.stderr);
  const made = events.filter(({ type, outcome }) => type === 'step-finished' && outcome === 'built').length;
  return { ...taken, made, phases: profileOf(events, taken.startedAt, taken.startedAt + taken.ms) };
}

/** What a run told of itself, among whatever else is on its standard error. */
export function eventsOf(stderr: string): (TimedEvent & { readonly outcome?: string })[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** Of all children that ended (proc_pid_stat(5): cutime and cstime, in hundredths of a second). */
function childCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Of an even number, what lies halfway between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}
