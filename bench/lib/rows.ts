import { type Measured, median, type OurRun } from './measure.ts';
import type { Counts } from './registry-counts.ts';

/** One thing that was done, by us and by others, by turns. */
export interface Row {
  readonly work: string;
  readonly what: string;
  readonly ours: Taken;
  /** Milliseconds by the name of the peer, in the order of the turns. */
  readonly peers: Readonly<Record<string, readonly number[]>>;
  /** Milliseconds of the commands of its RUNs, done with nothing around them. */
  readonly commands?: number;
}

/** What is said of us is of the run in the middle, the slower one of two, but for the times and the memory. */
export interface Taken {
  readonly times: readonly number[];
  readonly ms: number;
  readonly cpuMs: number;
  /** Of our process, the most of all runs; undefined where that is not to be had. */
  readonly peakMiB?: number;
  readonly phases: Readonly<Record<string, number>>;
  readonly counts: Counts;
  /** Steps that were made, and not found. */
  readonly made: number;
}

/** A run of ours, and what the registry counted meanwhile. */
export interface Run {
  readonly run: OurRun;
  readonly counts: Counts;
}

/** @throws Error when where the time went does not add up to what it took */
export function takenOf(runs: readonly Run[], withMemory: boolean): Taken {
  const times = runs.map(({ run }) => run.ms);
  const { run, counts } = runs.toSorted((a, b) => a.run.ms - b.run.ms)[Math.floor(runs.length / 2)]!;
  const { ms } = run;
  const sum = Object.values(run.phases).reduce((all, spent) => all + spent, 0);
  if (Math.abs(sum - ms) > 5) throw new Error(`the phases are ${sum} ms, the run ${ms} ms`);
  const peak = withMemory ? { peakMiB: Math.max(...runs.map((one) => one.run.peakMiB)) } : {};
  return { times, ms, cpuMs: run.cpuMs, ...peak, phases: run.phases, counts, made: run.made };
}

/** The median of the ratios of each turn; with `commands`, of the time beyond them. */
export function ratioTo(row: Row, peer: string, commands = 0): number | undefined {
  const theirs = row.peers[peer];
  if (!theirs || theirs.length === 0) return undefined;
  const pairs = row.ours.times.slice(0, theirs.length);
  return median(pairs.map((ms, i) => (ms - commands) / (theirs[i]! - commands)));
}

/** What a peer does at its turn. */
export type Turn = (round: number) => Promise<Pick<Measured, 'ms'>>;
