import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { watchPeakMemory } from '../../scripts/lib/peak-memory.ts';
import { profileOf, type TimedEvent } from '../../scripts/lib/phase-profile.ts';

export const root = join(import.meta.dirname, '..', '..');
export const cli = join(root, 'envbuilder');

/** What a command took. */
export interface Measured {
  readonly ms: number;
  /** Milliseconds of processor time, of the command and all that it started. */
  readonly cpuMs: number;
  /** Of the command itself. */
  readonly peakMiB: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws Error when the command fails, with the end of what it said */
export async function measure(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const cpu = childCpuMs();
  const start = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const peak = watchPeakMemory(child.pid ?? 0);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  const ms = performance.now() - start;
  const [stdout, stderr] = [out, err].map((parts) => Buffer.concat(parts).toString()) as [string, string];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stderr.slice(-2000)}`);
  return { ms, cpuMs: childCpuMs() - cpu, peakMiB: peak(), stdout, stderr };
}

/** A run of ours, and where its time went. */
export interface OurRun extends Measured {
  readonly phases: Readonly<Record<string, number>>;
}

export async function envbuilder(args: readonly string[]): Promise<OurRun> {
  const start = Date.now();
  const taken = await measure(cli, [args[0]!, '--progress=json', ...args.slice(1)]);
  const events = taken.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as TimedEvent);
  return { ...taken, phases: profileOf(events, start, start + taken.ms) };
}

/** Of all children that ended (proc_pid_stat(5): cutime and cstime, in hundredths of a second). */
function childCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
