import type { Figure } from './figures.ts';
import { median } from './measure.ts';
import type { Results } from './results.ts';
import { type Row, ratioTo } from './rows.ts';

export interface ReportTexts {
  /** Markdown: how the figures come about (bench/method.md). */
  readonly method: string;
  /** Markdown: what is known about goals that are missed (bench/notes.md). */
  readonly notes: string;
}

/** docs/benchmarks.md. */
export function markdown(
  { rows, works, runs, machine, versions, missing }: Results,
  figures: readonly Figure[],
  texts: ReportTexts,
): string {
  const lines = [
    '# Benchmarks',
    '',
    'Absolute times say little about another machine; the ratios do.',
    '',
    ...runs.map(
      (run) =>
        `- Made by \`${run.command}\` on ${run.date} from commit ${run.commit}, load ${shown(run.load[0])} to ${shown(run.load[1])} (its own included): ${run.works.join(', ')}`,
    ),
    `- Machine: ${machine}`,
    `- Versions: ${versions.join(', ')}`,
    ...works.map(({ name, about }) => `- Work \`${name}\`: ${about}`),
    ...(missing.length > 0 ? [`- Not measured: ${missing.join('; ')}`] : []),
    '',
    '![Figures against their goals](benchmarks.svg)',
    '',
    '## Goals',
    '',
    ...table(
      ['figure', 'against', 'goal', 'reached'],
      figures.map(({ what, against, goal, reached, unit }) => [
        what,
        against,
        `≤ ${goal}${unit}`,
        `${shown(reached)}${unit}${reached <= goal ? '' : ' (missed)'}`,
      ]),
    ),
    '',
    '## What falls short, and why',
    '',
    texts.notes.trim(),
    '',
    '## How it is measured',
    '',
    texts.method.trim(),
    '',
    '## All runs',
    '',
    'Requests and bytes are what the registry counted itself: received is what it sent to us.',
    '',
    ...table(
      ['work', 'what', 'runs', 'ours', 'others', 'peak memory', 'requests', 'received', 'sent'],
      rows.map((row) => [
        row.work,
        row.what,
        String(row.ours.times.length),
        seconds(row.ours.ms),
        others(row) || '–',
        row.ours.peakMiB === undefined ? '–' : `${Math.round(row.ours.peakMiB)} MiB`,
        String(row.ours.counts.requests),
        `${shown(row.ours.counts.receivedMiB)} MiB`,
        `${shown(row.ours.counts.sentMiB)} MiB`,
      ]),
    ),
    '',
    '## Where the time goes',
    '',
    'Milliseconds by the clock, each moment counted once, so that a line adds up to its run. Where phases run side by side, the time is that of the one that the others run beside (a RUN, then unpacking, then compression and upload).',
    '',
    ...table(
      ['work', 'what', 'all', 'by phase'],
      rows.map(({ work, what, ours }) => [work, what, ms(ours.ms), phases(ours.phases)]),
    ),
    '',
  ];
  return lines.join('\n');
}

/** A row in two lines, for whoever waits. */
export function lineOf(row: Row): string {
  const memory = row.ours.peakMiB === undefined ? '' : `, ${Math.round(row.ours.peakMiB)} MiB`;
  const { requests } = row.ours.counts;
  return `${row.work}, ${row.what}: ${seconds(row.ours.ms)}${memory}, ${requests} requests; ${others(row)}\n    ${phases(row.ours.phases)}`;
}

function others({ peers, commands, ...row }: Row): string {
  const all = Object.entries(peers).map(
    ([name, times]) =>
      `${name} ${seconds(median(times))} (ratio ${shown(ratioTo({ ...row, peers }, name)!)})`,
  );
  if (commands !== undefined) all.push(`its commands alone ${seconds(commands)}`);
  return all.join(', ');
}

function phases(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .filter(([, spent]) => spent >= 1)
    .sort(([, a], [, b]) => b - a)
    .map(([phase, spent]) => `${phase} ${ms(spent)}`)
    .join(', ');
}

/** A table of Markdown, a line each. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Three significant digits for small figures, so that one just beyond its goal does not read like it; whole numbers from ten on. */
export function shown(value: number): string {
  if (value >= 10) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`;
}

function ms(value: number): string {
  return Math.round(value).toLocaleString('en');
}
