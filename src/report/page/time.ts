import { formatDuration } from '../../core/units.ts';
import { criticalParts, longestParts, type Part } from './critical.ts';
import { foreign, type Html, html } from './html.ts';
import { code, section, swatch, track } from './parts.ts';
import type { Report, ReportStep } from './types.ts';
import { instruction, percent, phaseText } from './words.ts';

/** Parts that are listed, and the least share of the time that is worth a line. */
const MOST_PARTS = 8;
const LEAST_SHARE = 0.01;

interface Sum {
  readonly kind: string;
  readonly label: Html;
  readonly why: Html | undefined;
  readonly ms: number;
}

/** One sentence that says where most of the time went. */
export function verdict(report: Report): Html {
  const { ms, totals, outcome } = report;
  const longest = sums(criticalParts(report)).find(({ kind }) => kind !== 'other');
  const took = html`${outcome === 'failed' ? 'It failed after' : 'It took'} <strong>${formatDuration(ms)}</strong>.`;
  const steps =
    totals.steps === 0
      ? ''
      : totals.built + totals.failed === 0
        ? ' Every step that was needed came from the cache.'
        : ` ${totals.built + totals.failed} of ${totals.steps} steps ran, ${totals.hit} came from the cache.`;
  if (!longest || longest.ms < 0.25 * ms) return html`<p class="verdict">${took}${steps}</p>`;
  const share = longest.ms > 0.5 * ms ? 'Most of it' : 'The largest part of it';
  const why = longest.why ? html` (${longest.why})` : html``;
  return html`<p class="verdict">${took} ${share}, <strong>${formatDuration(longest.ms)}</strong>, went into ${longest.label}${why}.${steps}</p>`;
}

/** What the run waited for, as one bar and a list, the longest first. */
export function timeSection(report: Report): Html {
  const parts = criticalParts(report);
  const bars = parts.map((part) => ({ kind: kindOf(part), from: part.from, to: part.to }));
  const all = sums(parts);
  const listed = all
    .filter(({ kind, ms }) => kind !== 'other' && ms >= LEAST_SHARE * report.ms)
    .slice(0, MOST_PARTS);
  const rest = all.filter((one) => !listed.includes(one)).reduce((sum, { ms }) => sum + ms, 0);
  const rows = listed.map(
    ({ kind, label, why, ms }) =>
      html`<li>${swatch(kind)}<span class="name">${label}</span><span class="num">${formatDuration(ms)}</span><span class="num">${percent(ms, report.ms)}</span>${why ? html`<span class="why">${why}</span>` : ''}</li>`,
  );
  const others =
    rest > 0
      ? html`<li>${swatch('other')}<span class="name">everything else</span><span class="num">${formatDuration(rest)}</span><span class="num">${percent(rest, report.ms)}</span></li>`
      : '';
  return section(
    'time',
    'Where the time went',
    html`<p class="note">What the end had to wait for, one after the other. Whatever went on beside it cost no time and is not counted.</p>
${track(bars, report.ms, 'What the end had to wait for; the list below says the same', 28)}
<ul class="parts">${rows}${others}</ul>`,
  );
}

/** Why a step ran, in a few words. */
export function whyText({ causes, outcome }: ReportStep): string | undefined {
  if (outcome !== 'built' && outcome !== 'failed') return undefined;
  return causes.length > 0 ? causes.map(({ text }) => text).join('; ') : undefined;
}

function sums(parts: readonly Part[]): readonly Sum[] {
  return longestParts(parts).map(({ part, ms }) => ({
    kind: kindOf(part),
    label: labelOf(part),
    why: whyOf(part),
    ms,
  }));
}

function kindOf({ what, phase, step }: Part): string {
  if (what === 'step') return step?.outcome === 'failed' ? 'failed' : 'built';
  if (what === 'phase') return phase === 'extract' || phase === 'upload' ? phase : 'phase';
  return what;
}

function labelOf({ what, phase, step, stage }: Part): Html {
  const place =
    step && stage
      ? html`${code(instruction(step.text))} <span class="tag">${foreign(stage.name)}</span>`
      : html``;
  if (what === 'step') return place;
  if (what === 'build') return html`waiting for another build of ${place}`;
  if (what === 'phase' && phase === 'extract' && step) return html`unpacking the layers below ${place}`;
  const text = what === 'phase' ? phaseText(phase ?? '') : 'other work';
  return html`${text.charAt(0).toLowerCase() + text.slice(1)}`;
}

function whyOf({ what, step }: Part): Html | undefined {
  const why = what === 'step' && step ? whyText(step) : undefined;
  return why === undefined ? undefined : html`not cached: ${foreign(why)}`;
}
