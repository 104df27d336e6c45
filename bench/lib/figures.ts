import { execFileSync } from 'node:child_process';
import { cli, median } from './measure.ts';
import type { Figure } from './report.ts';
import type { Row } from './series.ts';

const STARTS = 9;

/** The figures that have a goal, as far as these rows tell them. */
export function figuresOf(rows: readonly Row[]): readonly Figure[] {
  const found: Figure[] = [];
  const row = (work: string, what: string): Row | undefined =>
    rows.find((one) => one.work === work && one.what === what);
  const ratio = (work: string, what: string, peer: string, goal: number): void => {
    const one = row(work, what);
    const theirs = one?.peers[peer];
    if (one && theirs !== undefined)
      found.push({ what: `${what}, ${work}`, against: peer, goal, reached: one.ours.ms / theirs, unit: '' });
  };
  for (const work of ['demo', 'files', 'huge']) {
    ratio(work, 'cached', 'zstd|tar', work === 'demo' ? 1 : 1.5);
    ratio(work, 'cached', 'docker pull', 0.6);
  }
  for (const work of ['steps', 'stages']) {
    ratio(work, 'uncached', 'docker', 1.1);
    ratio(work, 'uncached', 'buildah', 1);
  }
  const probe = row('steps', 'probe');
  if (probe)
    found.push({ what: 'probe, steps', against: '', goal: 1000, reached: probe.ours.ms, unit: ' ms' });
  const late = row('files', 'late change');
  const find = late?.peers['find -printf'];
  if (late && find !== undefined) {
    const of = (phase: string): number => (late.ours.phases[phase] ?? 0) / find;
    found.push({
      what: 'snapshot of a one-file change, files',
      against: 'find',
      goal: 1.5,
      reached: of('snapshot'),
      unit: '',
    });
    found.push({ what: 'second plan, files', against: 'find', goal: 1.5, reached: of('plan'), unit: '' });
  }
  const peak = Math.max(0, ...rows.filter(({ work }) => work === 'huge').map(({ ours }) => ours.peakMiB));
  if (peak > 0)
    found.push({ what: 'peak memory, huge', against: '', goal: 286, reached: peak, unit: ' MiB' });
  const cached = row('demo', 'cached');
  const uncached = row('demo', 'uncached');
  if (cached && uncached)
    found.push({
      what: 'cached, demo',
      against: 'uncached',
      goal: 0.1,
      reached: cached.ours.ms / uncached.ours.ms,
      unit: '',
    });
  found.push({ what: 'CPU of --version', against: '', goal: 80, reached: startCpu(), unit: ' ms' });
  return found;
}

/** Milliseconds of processor time for the start of the command line. */
function startCpu(): number {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i += 1) {
    const script = `"$0" --version > /dev/null; times`;
    const said = execFileSync('/bin/bash', ['-c', script, cli], { encoding: 'utf8' });
    const children = said.trim().split('\n').at(-1) ?? '';
    const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
    times.push(parts.reduce((sum, [, m, s]) => sum + Number(m) * 60_000 + Number(s) * 1000, 0));
  }
  return median(times);
}
