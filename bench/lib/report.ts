import type { Row } from './series.ts';

/** A figure with its goal: the most it may be. */
export interface Figure {
  readonly what: string;
  readonly against: string;
  readonly goal: number;
  readonly reached: number;
  readonly unit: '' | ' ms' | ' MiB';
}

export interface ReportFacts {
  readonly date: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly command: string;
  readonly works: readonly { readonly name: string; readonly about: string }[];
  readonly missing: readonly string[];
  /** Markdown: what is known about goals that are missed (bench/notes.md). */
  readonly notes: string;
}

/** docs/benchmarks.md. */
export function markdown(facts: ReportFacts, figures: readonly Figure[], rows: readonly Row[]): string {
  const lines = [
    '# Benchmarks',
    '',
    `Made by \`${facts.command}\` on ${facts.date}, all in one run. Absolute times say little about another machine; the ratios do.`,
    '',
    `- Machine: ${facts.machine}`,
    `- Versions: ${facts.versions.join(', ')}`,
    ...facts.works.map(({ name, about }) => `- Work \`${name}\`: ${about}`),
    ...(facts.missing.length > 0 ? [`- Not measured here: ${facts.missing.join('; ')}`] : []),
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
    facts.notes.trim(),
    '',
    '## All runs',
    '',
    'Runs called "cached" were done three times, by turns with those of others, each into a fresh directory; the medians stand here. Requests and bytes are what the registry saw: received is what it sent to us.',
    '',
    ...table(
      ['work', 'what', 'ours', 'others', 'peak memory', 'requests', 'received', 'sent'],
      rows.map(({ work, what, ours, peers }) => [
        work,
        what,
        seconds(ours.ms),
        Object.entries(peers)
          .map(([name, ms]) => `${name} ${seconds(ms)} (ratio ${shown(ours.ms / ms)})`)
          .join(', ') || '–',
        `${Math.round(ours.peakMiB)} MiB`,
        String(ours.requests),
        `${shown(ours.receivedMiB)} MiB`,
        `${shown(ours.sentMiB)} MiB`,
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

function phases(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .filter(([, spent]) => spent >= 1)
    .sort(([, a], [, b]) => b - a)
    .map(([phase, spent]) => `${phase} ${ms(spent)}`)
    .join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

const BAR = 420;
const LINE = 34;

/** Each figure as a part of its goal: a bar that ends before the mark has reached it. */
export function svg(figures: readonly Figure[]): string {
  const height = figures.length * LINE + 40;
  const most = Math.max(1.25, ...figures.map(({ goal, reached }) => Math.min(3, reached / goal)));
  const mark = 300 + BAR / most;
  const bars = figures.map(({ what, against, goal, reached, unit }, i) => {
    const y = 30 + i * LINE;
    const part = reached / goal;
    const width = (Math.min(most, part) / most) * BAR;
    const colour = part <= 1 ? '#2f855a' : '#c05621';
    return [
      `<text x="292" y="${y + 15}" text-anchor="end">${escapeXml(`${what}${against ? ` / ${against}` : ''}`)}</text>`,
      `<rect x="300" y="${y}" width="${width.toFixed(1)}" height="20" fill="${colour}"/>`,
      `<text x="${(Math.max(306 + width, mark + 6)).toFixed(1)}" y="${y + 15}">${shown(reached)}${unit} of ${goal}${unit}</text>`,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${300 + BAR + 160} ${height}" font-family="sans-serif" font-size="12" fill="#222">
<title>Figures against their goals</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${mark.toFixed(1)}" y="18" text-anchor="middle">goal</text>
${bars.join('\n')}
<line x1="${mark.toFixed(1)}" y1="22" x2="${mark.toFixed(1)}" y2="${height - 8}" stroke="#222" stroke-dasharray="4 3"/>
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Two significant digits for small figures, whole numbers from ten on. */
export function shown(value: number): string {
  if (value >= 10) return String(Math.round(value));
  return String(Number(value.toPrecision(2)));
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`;
}

function ms(value: number): string {
  return Math.round(value).toLocaleString('en');
}
