import { HERD } from './herd-series.ts';
import { HOST } from './host-series.ts';
import { median } from './measure.ts';
import { type Row, ratioTo } from './rows.ts';
import { START } from './start-series.ts';
import { WALK } from './walk-series.ts';

/** A figure with its goal: the most it may be. */
export interface Figure {
  readonly what: string;
  readonly against: string;
  readonly goal: number;
  readonly reached: number;
  readonly unit: '' | ' ms' | ' MiB';
}

/** 300 MB. */
const MOST_MIB = 286;

/**
 * The figures that have a goal, as far as these rows tell them.
 * @param startCpu milliseconds of processor time that the start of the command line takes
 */
export function figuresOf(rows: readonly Row[], startCpu?: number): readonly Figure[] {
  const found: Figure[] = [];
  const rowOf = (work: string, what: string): Row | undefined =>
    rows.find((one) => one.work === work && one.what === what);
  const add = (figure: Omit<Figure, 'reached' | 'unit'>, reached: number | undefined): void => {
    if (reached !== undefined) found.push({ ...figure, reached, unit: '' });
  };
  const ratio = (work: string, what: string, against: string, goal: number): void => {
    const row = rowOf(work, what);
    if (row) add({ what: `${what}, ${work}`, against, goal }, ratioTo(row, against));
  };
  const beyond = (work: string, what: string, against: string, goal: number): void => {
    const row = rowOf(work, what);
    if (row?.commands === undefined) return;
    add({ what: `${what} beyond the commands, ${work}`, against, goal }, ratioTo(row, against, row.commands));
  };
  for (const work of ['demo', 'files', 'huge']) {
    ratio(work, HOST.cached, 'zstd|tar', work === 'demo' ? 1 : 1.5);
    ratio(work, HOST.cached, 'docker pull', work === 'demo' ? 0.5 : 0.6);
  }
  ratio('demo', HOST.directory, 'zstd|tar', 0.75);
  ratio('steps', HOST.cached, 'docker pull', 1);
  ratio('files', HOST.uncached, 'docker', 0.25);
  for (const what of [START.uncached, START.cached]) ratio('steps', what, 'kaniko', 1);
  ratio('demo', START.cached, 'kaniko', 0.25);
  ratio('demo', START.cached, 'envbuilder (Go)', 0.2);
  ratio('demo', START.churned, 'kaniko', 0.25);
  for (const work of ['demo', 'steps', 'stages']) {
    beyond(work, HOST.uncached, 'docker', 1.1);
    beyond(work, START.uncached, 'kaniko', 0.4);
  }
  ratio('steps', START.probe, 'envbuilder (Go)', 0.05);
  ratio('steps', START.probe, 'docker run alone', 2);
  ratio('files', WALK, 'find -printf', 1.5);
  ratio('files', HOST.plan, 'find -printf', 1.5);
  const uncached = rowOf('demo', START.uncached);
  const docker = rowOf('demo', HOST.uncached)?.peers.docker;
  if (uncached && docker)
    add(
      { what: `${START.uncached}, demo`, against: 'docker build', goal: 1 },
      uncached.ours.ms / median(docker),
    );
  if (uncached?.commands !== undefined)
    add(
      { what: `RUNs of ${START.uncached}, demo`, against: 'its commands alone', goal: 1.05 },
      (uncached.ours.phases.run ?? 0) / uncached.commands,
    );
  const cached = rowOf('demo', START.cached);
  const churned = rowOf('demo', START.churned);
  if (uncached && cached)
    add(
      { what: `${START.cached}, demo`, against: START.uncached, goal: 0.08 },
      cached.ours.ms / uncached.ours.ms,
    );
  if (cached && churned)
    add(
      { what: `${START.churned}, demo`, against: START.cached, goal: 1.2 },
      churned.ours.ms / cached.ours.ms,
    );
  for (const work of ['demo', 'steps', 'stages']) {
    const [one, eight] = [rowOf(work, HERD.oneUncached), rowOf(work, HERD.uncached)];
    const herd = (what: string, goal: number, of: (row: Row) => number): void => {
      if (one && eight) add({ what: `${what}, ${work}`, against: 'one', goal }, of(eight) / of(one));
    };
    herd(HERD.uncached, 1.3, ({ ours }) => ours.ms);
    herd('steps made by eight starts at once', 1, ({ ours }) => ours.made);
    herd('sent to the registry by eight starts at once', 1.1, ({ ours }) => ours.counts.sentMiB);
    const [single, cachedHerd] = [rowOf(work, HERD.oneCached), rowOf(work, HERD.cached)];
    if (single && cachedHerd)
      add(
        { what: `${HERD.cached}, ${work}`, against: 'one', goal: 2.5 },
        cachedHerd.ours.ms / single.ours.ms,
      );
  }
  const memory = (work: string, what: string, goal: number): void => {
    const reached = rowOf(work, what)?.ours.peakMiB;
    const unit = ' MiB';
    if (reached !== undefined)
      found.push({ what: `peak memory of ${what}, ${work}`, against: '', goal, reached, unit });
  };
  for (const work of ['demo', 'huge'])
    for (const what of [HOST.uncached, HOST.cached, HOST.push]) memory(work, what, MOST_MIB);
  memory('files', HOST.uncached, 350);
  // 1.5 GB in all.
  for (const work of ['demo', 'steps', 'stages']) memory(work, HERD.cached, 1430);
  if (startCpu !== undefined)
    found.push({ what: 'CPU of --version', against: '', goal: 80, reached: startCpu, unit: ' ms' });
  return found;
}
