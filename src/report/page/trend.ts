import { formatBytes, formatDuration } from '../../core/units.ts';
import { foreign, type Html, html } from './html.ts';
import { subjectOf } from './page.ts';
import { code, document, legend, scrolled, section } from './parts.ts';
import type { Report, ReportStep } from './types.ts';
import { instruction, moment, percent } from './words.ts';

/** A report, and the file that it is in. */
export interface NamedReport {
  readonly name: string;
  readonly report: Report;
}

/** Steps that are listed. */
const MOST_STEPS = 15;

/** Several builds as one page, the oldest first: how they went, and what costs most over all of them. */
export function trendPage(given: readonly NamedReport[]): string {
  const reports = given.toSorted((a, b) => (a.report.started < b.report.started ? -1 : 1));
  const subjects = [...new Set(reports.map(({ report }) => subjectOf(report)))];
  const title = subjects.length === 1 ? subjects[0]! : `${subjects.length} Dockerfiles`;
  const failed = reports.filter(({ report }) => report.outcome === 'failed').length;
  const [first, last] = [reports[0]!.report, reports.at(-1)!.report];
  return document(
    `${reports.length} builds of ${title}`,
    html`<header><p class="kicker">envbuilder report</p>
<h1>${foreign(title)} <span class="badge is-done">${reports.length} builds</span></h1>
<p class="verdict">${moment(first.started)} to ${moment(last.started)} UTC. ${trendText(reports)}${failed > 0 ? ` ${failed} of ${reports.length} failed.` : ''}</p>
<nav aria-label="Parts of the page"><ul><li><a href="#trend">Trend</a></li><li><a href="#steps">What is built most</a></li><li><a href="#builds">Builds</a></li></ul></nav></header>
<main id="content">
${chartsSection(reports)}${stepsSection(reports)}${buildsSection(reports, subjects.length > 1)}</main>
<footer>Written by envbuilder. The page is one file and loads nothing.</footer>`,
  );
}

/** Whether builds became slower: the second half of those that succeeded against the first. */
function trendText(reports: readonly NamedReport[]): Html {
  const times = reports.filter(({ report }) => report.outcome === 'done').map(({ report }) => report.ms);
  if (times.length === 0) return html`None succeeded.`;
  const middle = html`Half of them took less than <strong>${formatDuration(median(times))}</strong>.`;
  if (times.length < 4) return middle;
  const half = Math.floor(times.length / 2);
  const [before, after] = [median(times.slice(0, half)), median(times.slice(-half))];
  const change = after / Math.max(1, before);
  if (change > 0.8 && change < 1.25)
    return html`${middle} The later ones took about as long as the earlier ones.`;
  const word = change > 1 ? 'longer' : 'less';
  return html`${middle} The later ones took ${word}: <strong>${formatDuration(after)}</strong> against ${formatDuration(before)}.`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Chart {
  readonly title: string;
  readonly kind: string;
  /** Undefined where a build has no such value. */
  readonly value: (report: Report) => number | undefined;
  readonly text: (value: number) => string;
  /** What the top of the chart is, where that is not the largest value. */
  readonly top?: number;
}

const CHARTS: readonly Chart[] = [
  { title: 'Time', kind: 'built', value: ({ ms }) => ms, text: formatDuration },
  {
    title: 'Steps from the cache',
    kind: 'hit',
    value: ({ totals: { hit, built, failed } }) =>
      hit + built + failed > 0 ? hit / (hit + built + failed) : undefined,
    text: (value) => percent(value, 1),
    top: 1,
  },
  { title: 'Pulled', kind: 'pull', value: ({ totals }) => totals.bytesPulled, text: formatBytes },
  { title: 'Size of the image', kind: 'phase', value: ({ images }) => images[0]?.size, text: formatBytes },
];

function chartsSection(reports: readonly NamedReport[]): Html {
  return section(
    'trend',
    'Trend',
    html`<p class="note">A bar for each build, the oldest on the left. The table of builds has the numbers.</p>
${legend([['failed', 'failed builds']])}
<div class="charts">${CHARTS.map((chart) => figure(chart, reports))}</div>`,
  );
}

const CHART_HEIGHT = 110;

function figure({ title, kind, value, text, top }: Chart, reports: readonly NamedReport[]): Html {
  const values = reports.map(({ report }) => value(report));
  const known = values.filter((one) => one !== undefined);
  const most = top ?? Math.max(...known, 0);
  const slot = 100 / reports.length;
  const bars = values.map((one, index) => {
    if (one === undefined) return html``;
    const height = most > 0 ? Math.max(2, (one / most) * CHART_HEIGHT) : 2;
    const { report } = reports[index]!;
    const colour = report.outcome === 'failed' ? 'failed' : kind;
    return html`<rect class="bar-${colour}" x="${round(index * slot + slot * 0.1)}%" width="${round(slot * 0.8)}%" y="${round(CHART_HEIGHT - height)}" height="${round(height)}" rx="2"><title>${moment(report.started)}: ${text(one)}</title></rect>`;
  });
  const says =
    known.length === 0 ? 'not known' : `median ${text(median(known))}, most ${text(Math.max(...known))}`;
  return html`<figure><figcaption>${title} <span class="note">${says}</span></figcaption>
<svg width="100%" height="${CHART_HEIGHT + 6}" role="img" aria-label="${title}: ${says}"><line class="grid" x1="0" x2="100%" y1="0.5" y2="0.5"/><line class="grid" x1="0" x2="100%" y1="${CHART_HEIGHT / 2}" y2="${CHART_HEIGHT / 2}"/>${bars}<line class="grid" x1="0" x2="100%" y1="${CHART_HEIGHT + 0.5}" y2="${CHART_HEIGHT + 0.5}"/></svg></figure>`;
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

interface StepSum {
  readonly text: string;
  readonly stage: string;
  times: number;
  ms: number;
  readonly causes: Map<string, number>;
}

/** What was built in more than one build costs most, and why. */
function stepsSection(reports: readonly NamedReport[]): Html {
  const sums = new Map<string, StepSum>();
  const take = (step: ReportStep, stage: string): void => {
    const key = JSON.stringify([stage, step.text]);
    const sum = sums.get(key) ?? { text: step.text, stage, times: 0, ms: 0, causes: new Map() };
    sum.times += 1;
    sum.ms += step.ms;
    for (const { text } of step.causes.slice(0, 1)) {
      const cause = withoutTime(text);
      sum.causes.set(cause, (sum.causes.get(cause) ?? 0) + 1);
    }
    sums.set(key, sum);
  };
  for (const { report } of reports)
    for (const { name, steps } of report.stages)
      for (const step of steps) if (step.outcome === 'built' || step.outcome === 'failed') take(step, name);
  const rows = [...sums.values()]
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, MOST_STEPS)
    .map(({ text, stage, times, ms, causes }) => {
      const often = [...causes].toSorted((a, b) => b[1] - a[1]).slice(0, 3);
      const why = often.map(
        ([cause, count]) => html`<li>${count > 1 ? `${count} × ` : ''}${foreign(cause)}</li>`,
      );
      return html`<tr><td class="num">${formatDuration(ms)}</td><td class="num">${times} of ${reports.length}</td><td class="path">${code(instruction(text))}<br><span class="note">${foreign(stage)}</span></td><td class="path"><ul class="causes">${why}</ul></td></tr>`;
    });
  if (rows.length === 0)
    return section(
      'steps',
      'What is built most',
      html`<p class="note">Every step of every build came from the cache.</p>`,
    );
  return section(
    'steps',
    'What is built most',
    html`<p class="note">Steps by the time that they took over all builds, and what kept them from being cached.</p>
${scrolled('What is built most', html`<table><thead><tr><th scope="col" class="num">took in all</th><th scope="col" class="num">built in</th><th scope="col">step</th><th scope="col">why</th></tr></thead><tbody>${rows}</tbody></table>`)}`,
  );
}

/** Causes of two builds are the same whatever they are compared with. */
function withoutTime(text: string): string {
  return text.replace(/ since the build of [\d: -]+$/, '');
}

function buildsSection(reports: readonly NamedReport[], several: boolean): Html {
  const rows = reports.toReversed().map(({ name, report }) => {
    const { outcome, totals, ms, images, stages, error } = report;
    const longest = stages.flatMap(({ steps }) => steps).toSorted((a, b) => b.ms - a.ms)[0];
    const what = error
      ? foreign(error.text)
      : longest && longest.ms > 0
        ? html`${code(instruction(longest.text, 50))} ${formatDuration(longest.ms)}`
        : '';
    return html`<tr><td><span class="is-${outcome}">${outcome === 'done' ? '✓' : '✕'}</span> ${moment(report.started)}<br><span class="note">${foreign(name)}</span></td><td class="num">${formatDuration(ms)}</td><td class="num">${totals.built + totals.failed}</td><td class="num">${totals.hit}</td><td class="num">${formatBytes(totals.bytesPulled)}</td><td class="num">${images[0] ? formatBytes(images[0].size) : '–'}</td><td class="path">${what}${several ? html`<br><span class="note">${foreign(subjectOf(report))}</span>` : ''}</td></tr>`;
  });
  return section(
    'builds',
    'Builds',
    scrolled(
      'Builds',
      html`<table><thead><tr><th scope="col">when (UTC)</th><th scope="col" class="num">time</th><th scope="col" class="num">built</th><th scope="col" class="num">cached</th><th scope="col" class="num">pulled</th><th scope="col" class="num">image</th><th scope="col">error, or the longest step</th></tr></thead><tbody>${rows}</tbody></table>`,
    ),
  );
}
