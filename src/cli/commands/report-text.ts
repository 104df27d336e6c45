import { plainText } from '../../core/plain-text.ts';
import { formatDuration } from '../../core/units.ts';
import { criticalParts, longestParts, type Part } from '../../report/page/critical.ts';
import { whyText } from '../../report/page/time.ts';
import type { NamedReport } from '../../report/page/trend.ts';
import type { Report } from '../../report/page/types.ts';
import { instruction, percent, phaseText } from '../../report/page/words.ts';
import { tableText } from './table-text.ts';

/** Parts that are named; the others took less. */
const MOST_PARTS = 8;
const MOST_LABEL = 60;
const MOST_TEXT = 300;

/** For people: a line for each build, the newest first. */
export function reportsTable(reports: readonly NamedReport[]): string {
  const rows = reports.map(({ name, report }) => {
    const { started, command, ms, totals } = report;
    const [longest] = longestParts(criticalParts(report));
    return [
      plainText(started.slice(0, 19).replace('T', ' ')),
      plainText(command),
      outcomeOf(report),
      formatDuration(ms),
      `${totals.hit} of ${totals.steps}`,
      longest ? `${labelOf(longest.part, MOST_LABEL)} (${formatDuration(longest.ms)})` : '',
      plainText(name),
    ];
  });
  return `${tableText(['STARTED', 'COMMAND', 'RESULT', 'TIME', 'CACHED', 'LONGEST', 'REPORT'], rows)}\n`;
}

/** For people: what a run had to wait for, longest first, why its steps were not cached, and how it ended. */
export function reportText(report: Report): string {
  const { started, command, ms, totals, error, warnings } = report;
  const lines = [
    `${plainText(command)} of ${plainText(started.slice(0, 19).replace('T', ' '))}: ${outcomeOf(report)} after ${formatDuration(ms)}, ${totals.hit} of ${totals.steps} steps from the cache`,
  ];
  const all = longestParts(criticalParts(report));
  for (const { part, ms: spent } of all.slice(0, MOST_PARTS)) {
    const share = `${formatDuration(spent).padStart(8)}  ${percent(spent, ms).padStart(5)}`;
    lines.push(`${share}  ${labelOf(part, MOST_TEXT)}`);
    const why = part.what === 'step' && part.step ? whyText(part.step) : undefined;
    if (why !== undefined) lines.push(`${' '.repeat(17)}not cached: ${plainText(why, MOST_TEXT)}`);
  }
  const rest = all.slice(MOST_PARTS).reduce((sum, one) => sum + one.ms, 0);
  if (rest > 0)
    lines.push(`${formatDuration(rest).padStart(8)}  ${percent(rest, ms).padStart(5)}  everything else`);
  for (const { text } of warnings) lines.push(`warning: ${plainText(text, MOST_TEXT)}`);
  if (error) {
    lines.push(`error: ${plainText(error.text, MOST_TEXT)}`);
    if (error.hint !== null) lines.push(`hint: ${plainText(error.hint, MOST_TEXT)}`);
  }
  return `${lines.join('\n')}\n`;
}

function outcomeOf({ outcome, error }: Report): string {
  return error ? `${outcome} (${plainText(error.code)})` : outcome;
}

function labelOf({ what, phase, step, stage }: Part, most: number): string {
  const place = step && stage ? plainText(`${instruction(step.text)} [${stage.name}]`, most) : '';
  if (what === 'step') return place;
  if (what === 'build') return `waiting for another build of ${place}`;
  if (what === 'phase' && phase === 'extract' && step) return `unpacking the layers below ${place}`;
  const text = plainText(what === 'phase' ? phaseText(phase ?? '') : 'other work', most);
  return text.charAt(0).toLowerCase() + text.slice(1);
}
