import { profileOf } from '../../scripts/lib/phase-profile.ts';
import { eventsOf, type OurRun } from './measure.ts';
import { watchPrograms } from './program-memory.ts';
import type { StartSeriesOptions } from './start-series.ts';
import type { Work } from './works.ts';

const HERD_SIZE = 8;

export const HERD = {
  oneUncached: 'one start, uncached, in a new repository',
  uncached: 'eight starts at once, uncached',
  oneCached: 'one start, cached, beside none',
  cached: 'eight starts at once, cached',
} as const;

/** A work that eight containers on one machine start at the same moment, and one alone: uncached, and cached. */
export async function herdSeries(work: Work, options: StartSeriesOptions): Promise<void> {
  const { recorder, containers, ours, registry } = options;
  const repository = (name: string): string => `${registry.host}/herd/${work.name}-${name}`;
  const several = async (count: number, name: string, push: boolean): Promise<OurRun> => {
    const memory = watchPrograms();
    const runs = Array.from({ length: count }, () => ours.start(work, repository(name), { push }));
    try {
      const run = sideBySide(await Promise.all(runs));
      return { ...run, peakMiB: memory() };
    } finally {
      memory();
    }
  };
  work.write({ early: 'herd', late: 'herd' });
  const one = { what: HERD.oneUncached, ours: () => several(1, 'one', true) };
  await recorder.record(work, one);
  const eight = { what: HERD.uncached, ours: () => several(HERD_SIZE, 'eight', true) };
  await recorder.record(work, eight);
  const rounds = work.rounds.cached;
  await recorder.record(work, {
    rounds,
    what: HERD.oneCached,
    ours: () => several(1, 'eight', false),
  });
  await recorder.record(work, {
    rounds,
    what: HERD.cached,
    ours: () => several(HERD_SIZE, 'eight', false),
  });
  await containers.remove();
}

/** Runs that were done at the same time as one that lasts from the first one's start to the last one's end. */
export function sideBySide(runs: readonly OurRun[]): OurRun {
  const startedAt = Math.min(...runs.map((run) => run.startedAt));
  const ms = Math.max(...runs.map((run) => run.startedAt + run.ms)) - startedAt;
  const sum = (of: (run: OurRun) => number): number => runs.reduce((all, run) => all + of(run), 0);
  const joined = (of: (run: OurRun) => string): string => runs.map(of).join('\n');
  const stderr = joined((run) => run.stderr);
  return {
    startedAt,
    ms,
    cpuMs: sum(({ cpuMs }) => cpuMs),
    peakMiB: sum(({ peakMiB }) => peakMiB),
    made: sum(({ made }) => made),
    stdout: joined((run) => run.stdout),
    stderr,
    phases: profileOf(eventsOf(stderr), startedAt, startedAt + ms),
  };
}
