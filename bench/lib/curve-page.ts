import { CURVES, type Point } from './curves.ts';
import { shown, table } from './report.ts';

/** Where and how the points were measured. */
export interface CurveRun {
  readonly command: string;
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  readonly load: readonly [number, number];
}

const WHAT = { uncached: 'first build', cached: 'build from the cache', probe: 'probe' } as const;

/** What one more unit cost between two sizes of the same run, in the unit that the values have. */
export function costOfOneMore(
  points: readonly Point[],
  point: Point,
  value: (point: Point) => number,
): number | undefined {
  const smaller = points.filter(
    ({ curve, what, size }) => curve === point.curve && what === point.what && size < point.size,
  );
  const before = smaller.toSorted((a, b) => a.size - b.size).at(-1);
  return before && (value(point) - value(before)) / (point.size - before.size);
}

/** docs/cost-curves.md. */
export function curvePage(points: readonly Point[], run: CurveRun): string {
  const sections = Object.entries(CURVES).flatMap(([name, { unit, about }]) => {
    const own = points.filter(({ curve }) => curve === name);
    if (own.length === 0) return [];
    const more = (point: Point, value: (point: Point) => number): string => {
      const cost = costOfOneMore(points, point, value);
      return cost === undefined ? '–' : `${shown(Math.max(0, cost))} ms`;
    };
    return [
      `## ${name[0]!.toUpperCase()}${name.slice(1)}`,
      '',
      `${about[0]!.toUpperCase()}${about.slice(1)}. "One more" is what a ${unit} more cost, since the size before.`,
      '',
      ...table(
        [name, 'what', 'time', 'one more, time', 'one more, processor', 'peak memory', 'requests'],
        own.map((point) => [
          point.size.toLocaleString('en'),
          WHAT[point.what],
          `${(point.ms / 1000).toFixed(2)} s`,
          more(point, ({ ms }) => ms),
          more(point, ({ cpuMs }) => cpuMs),
          `${Math.round(point.peakMiB)} MiB`,
          String(point.requests),
        ]),
      ),
      '',
    ];
  });
  return [
    '# What one more costs',
    '',
    'Cost should grow as work does: the line of each kind of run should be no steeper than the dashed one, and what one more costs should not depend on how many there are.',
    '',
    `- Made by \`${run.command}\` on ${run.date} from commit ${run.commit}, one run of each, load ${shown(run.load[0])} to ${shown(run.load[1])} (its own included)`,
    `- Machine: ${run.machine}`,
    "- The cache is a registry on the same machine. Processor time is ours and that of the RUNs, not the registry's.",
    '',
    '![Time of builds and probes by size, for steps, stages, files and records](cost-curves.svg)',
    '',
    ...sections,
  ].join('\n');
}
