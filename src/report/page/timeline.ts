import { formatBytes, formatDuration } from '../../core/units.ts';
import { unpackedUntil } from './critical.ts';
import { foreign, type Html, html } from './html.ts';
import { axis, type Bar, code, legend, section, track } from './parts.ts';
import { spentIn, united } from './spans.ts';
import { whyText } from './time.ts';
import type { Report, ReportStage, ReportStep, ReportTransfer, StepSpan } from './types.ts';
import { instruction, OUTCOMES, percent, phaseText } from './words.ts';

/** So many steps from the cache in a row are shown as one line. */
const FOLDED = 4;
/** Phases that the rows of steps show already. */
const OF_STEPS = ['run'];

/** When each stage, step, download and upload went on. */
export function timelineSection(report: Report): Html {
  const { ms } = report;
  return section(
    'timeline',
    'Timeline',
    html`<p class="note">A line for each step; open it for the whole instruction and its reasons. Below are the parts of the work that belong to no step alone.</p>
${legend([
  ['built', 'runs'],
  ['hit', 'from the cache'],
  ['failed', 'failed'],
  ['stage', 'waits for a stage or for another build'],
  ['pull', 'pulled, unpacked'],
  ['push', 'stored, pushed'],
  ['phase', 'other work'],
])}
${axis(ms)}
${report.stages.map((stage) => stageRows(stage, report))}
${workRows(report)}`,
  );
}

function stageRows(stage: ReportStage, report: Report): Html {
  const spans = stage.steps.flatMap(({ spans: some }) => some);
  const ran = spentIn(spans.filter(({ what }) => what === 'ran'));
  const time = ran > 0 ? `, ran for ${formatDuration(ran)}` : '';
  const base = stage.base === null ? '' : html`, from ${foreign(stage.base)}`;
  const what = html`${stage.steps.length} ${stage.steps.length === 1 ? 'step' : 'steps'}${time}${base}`;
  return html`<h3 class="stage">${foreign(stage.name)} <small>${what}${stage.target ? ', the target' : ''}</small></h3>
${folded(stage.steps).map((group) =>
  group.length > 1 ? foldedRow(group, stage, report.ms) : stepRow(group[0]!, stage, report),
)}`;
}

/** Steps in their order, those from the cache that took no time together. */
function folded(steps: readonly ReportStep[]): readonly (readonly ReportStep[])[] {
  const groups: ReportStep[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    const plain = step.outcome === 'hit' && step.spans.length === 0;
    if (plain && last?.every(({ outcome, spans }) => outcome === 'hit' && spans.length === 0))
      last.push(step);
    else groups.push([step]);
  }
  return groups.flatMap((group) => (group.length >= FOLDED ? [group] : group.map((step) => [step])));
}

function foldedRow(group: readonly ReportStep[], stage: ReportStage, total: number): Html {
  return html`<details class="step"><summary class="row"><span class="cut">${group.length} steps</span>
${track([], total, `${group.length} steps from the cache`)}<span class="time"><b class="is-hit">cached</b></span></summary>
<div class="body"><ul class="causes">${group.map((step) => html`<li>${numberOf(step, stage)} ${code(instruction(step.text))}</li>`)}</ul></div></details>`;
}

function stepRow(step: ReportStep, stage: ReportStage, report: Report): Html {
  const { outcome, ms, waitedMs } = step;
  const total = report.ms;
  const bars = step.spans.flatMap((span) => barsOf(span, step, report));
  const time = ms > 0 && outcome !== 'hit' ? html` ${formatDuration(ms)}` : '';
  const waited = waitedMs >= 1000 ? `, waited ${formatDuration(waitedMs)}` : '';
  const says = `${OUTCOMES[outcome]}${ms > 0 ? ` in ${formatDuration(ms)}` : ''}${waited}`;
  return html`<details class="step"><summary class="row"><span class="cut" title="${step.text}">${numberOf(step, stage)} ${code(instruction(step.text))}</span>
${track(bars, total, says)}<span class="time"><b class="is-${outcome}">${OUTCOMES[outcome]}</b>${time}</span></summary>
${stepBody(step)}</details>`;
}

function numberOf(step: ReportStep, { steps }: ReportStage): Html {
  return html`<span class="tag">${steps.indexOf(step) + 1}/${steps.length}</span>`;
}

/** A stretch of a step; what was unpacked for it at first has the colour of that. */
function barsOf(span: StepSpan, step: ReportStep, report: Report): readonly Bar[] {
  const { from, to, what } = span;
  if (what !== 'ran') return [{ from, to, kind: what }];
  const unpacked = unpackedUntil(report, span) ?? from;
  const first: readonly Bar[] = unpacked > from ? [{ from, to: unpacked, kind: 'extract' }] : [];
  return [...first, { from: unpacked, to, kind: ranKind(step) }];
}

const ranKind = ({ outcome }: ReportStep): string => (outcome === 'unneeded' ? 'unfinished' : outcome);

function stepBody(step: ReportStep): Html {
  const why = whyText(step);
  const rows: readonly (readonly [string, Html | string])[] = [
    ['place', foreign(`${step.file}:${step.line}`)],
    ...(why === undefined ? [] : [['not cached', foreign(why)] as const]),
    ...step.spans.map(
      (span) =>
        [
          spanText(span),
          `${formatDuration(span.to - span.from)}, from ${formatDuration(span.from)} on`,
        ] as const,
    ),
    ...(step.key === null ? [] : [['key', code(step.key)] as const]),
  ];
  return html`<div class="body"><pre>${step.text}</pre>
<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${step.output.length > 0 ? html`<p class="note">The end of its output:</p><pre>${step.output.join('\n')}</pre>` : ''}</div>`;
}

function spanText({ what, stage }: StepSpan): string {
  if (what === 'ran') return 'ran';
  return what === 'build' ? 'waited for another build of it' : `waited for the stage ${stage}`;
}

/** Downloads, uploads and phases, each on a line. */
function workRows(report: Report): Html {
  const { ms, transfers, phases } = report;
  const lanes = [
    ...lanesOf(transfers, 'pull', 'Pulled'),
    ...lanesOf(transfers, 'push', 'Pushed'),
    ...phases
      .filter(({ name }) => !OF_STEPS.includes(name))
      .map(({ name, spans }) => ({
        name: phaseText(name),
        note: formatDuration(spentIn(spans)),
        kind: phaseKind(name),
        spans,
      })),
  ].filter(({ spans }) => spentIn(spans) >= 0.001 * ms);
  if (lanes.length === 0) return html``;
  return html`<h3 class="stage">Besides <small>what belongs to no step alone</small></h3>
${lanes.map(
  ({ name, note, kind, spans }) =>
    html`<div class="row lane"><span class="cut">${name}</span>${track(
      spans.map((span) => ({ ...span, kind })),
      ms,
      `${name}: ${note}`,
    )}<span class="time">${note}</span></div>`,
)}`;
}

function lanesOf(transfers: readonly ReportTransfer[], direction: ReportTransfer['direction'], name: string) {
  const some = transfers.filter((one) => one.direction === direction);
  if (some.length === 0) return [];
  const bytes = some.reduce((sum, one) => sum + one.bytes, 0);
  return [{ name, note: formatBytes(bytes), kind: direction, spans: united(some) }];
}

function phaseKind(name: string): string {
  if (name === 'extract' || name === 'download') return 'extract';
  return name === 'upload' ? 'upload' : 'phase';
}

/** Time by phase and what was transferred, as numbers. */
export function workSection(report: Report): Html {
  const { phases, transfers, ms } = report;
  const rows = phases
    .filter(({ ms: sum }) => sum >= 0.5)
    .toSorted((a, b) => spentIn(b.spans) - spentIn(a.spans))
    .map(({ name, ms: sum, spans }) => {
      const spent = spentIn(spans);
      return html`<tr><td>${phaseText(name)}</td><td class="num">${formatDuration(spent)}</td><td class="num">${percent(spent, ms)}</td><td class="num">${formatDuration(sum)}</td></tr>`;
    });
  const largest = transfers.toSorted((a, b) => b.bytes - a.bytes).slice(0, 10);
  const blobs = largest.map(
    ({ direction, digest, bytes, from, to }) =>
      html`<tr><td>${direction === 'pull' ? 'pulled' : 'pushed'}</td><td class="num">${formatBytes(bytes)}</td><td class="num">${formatDuration(to - from)}</td><td><code>${digest.slice(0, 19)}</code></td></tr>`,
  );
  return section(
    'work',
    'Time by phase, and bytes',
    html`<div class="scroll" tabindex="0" role="region" aria-label="Time by phase"><table>
<thead><tr><th scope="col">phase</th><th scope="col" class="num">went on for</th><th scope="col" class="num">of the run</th><th scope="col" class="num">sum of all parts</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="note">Parts go on side by side, so that their sum may be longer than the run.</p>
${
  blobs.length > 0
    ? html`<h3>The largest transfers</h3><div class="scroll" tabindex="0" role="region" aria-label="The largest transfers"><table>
<thead><tr><th scope="col">what</th><th scope="col" class="num">size</th><th scope="col" class="num">within</th><th scope="col">blob</th></tr></thead><tbody>${blobs}</tbody></table></div>`
    : html`<p class="note">Nothing was pulled from or pushed to a registry.</p>`
}`,
  );
}
