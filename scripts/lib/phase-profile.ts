/** An event of `--progress=json`. */
export interface TimedEvent {
  readonly time: string;
  readonly type: string;
  readonly phase?: string;
  readonly ms?: number;
}

interface Interval {
  readonly phase: string;
  readonly from: number;
  readonly to: number;
}

/** Where phases overlap, the time belongs to the first of these: what the others run beside. */
const ORDER = [
  'run',
  'download',
  'verify',
  'decode',
  'write',
  'extract',
  'snapshot',
  'compress',
  'upload',
  'lookup',
  'plan',
  'image',
  'output',
  'cleanup',
];

/** Phases that one extraction tells at its end, in the order in which they are to be laid out. */
const TOLD_TOGETHER = new Set(['download', 'verify', 'decode', 'write', 'extract']);

/**
 * The time by the clock of a run, each moment counted once, by phase: `start` is everything before the first event, `rest`
 * what belongs to no phase. Together they are `end - start`.
 * @param start milliseconds since the epoch, as `end`
 */
export function profileOf(
  events: readonly TimedEvent[],
  start: number,
  end: number,
): Readonly<Record<string, number>> {
  const intervals = intervalsOf(events);
  const first = Math.min(
    end,
    ...events.map(({ time }) => Date.parse(time)),
    ...intervals.map(({ from }) => from),
  );
  const edges = new Set([start, first, end]);
  for (const { from, to } of intervals) edges.add(clamp(from, start, end)).add(clamp(to, start, end));
  const sorted = [...edges].sort((a, b) => a - b);
  const found: Record<string, number> = {};
  for (const [i, from] of sorted.slice(0, -1).entries()) {
    const to = sorted[i + 1]!;
    const middle = (from + to) / 2;
    const active = new Set(
      intervals.filter((one) => one.from <= middle && middle < one.to).map((one) => one.phase),
    );
    const phase = ORDER.find((name) => active.has(name)) ?? (middle < first ? 'start' : 'rest');
    found[phase] = (found[phase] ?? 0) + to - from;
  }
  return found;
}

function intervalsOf(events: readonly TimedEvent[]): Interval[] {
  const found: Interval[] = [];
  let together: TimedEvent[] = [];
  for (const event of events) {
    if (event.type !== 'phase' || event.phase === undefined || event.ms === undefined) continue;
    const to = Date.parse(event.time);
    if (!TOLD_TOGETHER.has(event.phase)) {
      found.push({ phase: event.phase, from: to - event.ms, to });
      continue;
    }
    together.push(event);
    if (event.phase !== 'extract') continue;
    let at = to;
    for (const { phase, ms } of together.toReversed()) {
      found.push({ phase: phase!, from: at - ms!, to: at });
      at -= ms!;
    }
    together = [];
  }
  return found;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
