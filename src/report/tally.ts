import type { Event, Phase } from '../core/events.ts';
import { formatBytes, formatDuration } from '../core/units.ts';

/** What a run's events add up to. */
export interface Tally {
  /** The run ends with an error. */
  readonly errored: boolean;
  readonly planned: number;
  readonly hit: number;
  readonly built: number;
  readonly failed: number;
  readonly bytesPulled: number;
  readonly bytesPushed: number;
  /** Milliseconds by phase; phases overlap, so that together they may be longer than the run. */
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
}

/** Adds events up. */
export function createTally(): { readonly take: (event: Event) => void; readonly total: () => Tally } {
  const planned = new Set<string>();
  const outcomes = new Map<string, string>();
  const phases: Partial<Record<Phase, number>> = {};
  let errored = false;
  let bytesPulled = 0;
  let bytesPushed = 0;
  const count = (outcome: string): number =>
    [...outcomes.values()].filter((value) => value === outcome).length;
  return {
    take: (event) => {
      if (event.type === 'error') errored = true;
      if (event.type === 'phase') phases[event.phase] = (phases[event.phase] ?? 0) + event.ms;
      if (event.type === 'step-planned') planned.add(`${event.id.stage}.${event.id.step}`);
      if (event.type === 'step-finished') outcomes.set(`${event.id.stage}.${event.id.step}`, event.outcome);
      if (event.type === 'transfer' && event.direction === 'pull') bytesPulled += event.bytes;
      if (event.type === 'transfer' && event.direction === 'push') bytesPushed += event.bytes;
    },
    total: () => ({
      errored,
      planned: planned.size,
      hit: count('hit'),
      built: count('built'),
      failed: count('failed'),
      bytesPulled,
      bytesPushed,
      phases: { ...phases },
    }),
  };
}

/**
 * The summary at the end of a run; nothing for a run that failed before it had a plan.
 * @param ms how long the run took
 */
export function summaryLines(tally: Tally, ms: number): readonly string[] {
  const { errored, planned, hit, built, failed, bytesPulled, bytesPushed, phases } = tally;
  if (errored && planned === 0) return [];
  const what = errored ? 'failed after' : 'done in';
  const rest = planned - hit - built - failed;
  const parts = [
    `${hit} from the cache`,
    `${built} built`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(rest > 0 && !errored ? [`${rest} not needed`] : []),
  ];
  const steps = planned > 0 ? `: ${planned} ${planned === 1 ? 'step' : 'steps'}, ${parts.join(', ')}` : '';
  const lines = [`${what} ${formatDuration(ms)}${steps}`];
  if (planned > 0 || bytesPulled + bytesPushed > 0) {
    lines.push(`pulled ${formatBytes(bytesPulled)}, pushed ${formatBytes(bytesPushed)}`);
  }
  const times = Object.entries(phases)
    .filter(([, spent]) => spent >= 0.5)
    .sort(([, a], [, b]) => b - a)
    .map(([phase, spent]) => `${phase} ${formatDuration(spent)}`);
  if (times.length > 0) lines.push(`time by phase (they overlap): ${times.join(', ')}`);
  return lines;
}
