import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curveChart } from './curve-chart.ts';
import { costOfOneMore, curvePage } from './curve-page.ts';
import { CURVES, type Point } from './curves.ts';

const point = (size: number, ms: number, what: Point['what'] = 'uncached'): Point => ({
  curve: 'steps',
  size,
  what,
  ms,
  cpuMs: ms / 2,
  peakMiB: 100,
  requests: size * 4,
});
const points = [point(100, 3000), point(10, 1200), point(10, 500, 'probe'), point(30, 1600)];
const run = { command: 'node', commit: 'abc', date: '2026-01-02', machine: 'one', load: [1, 2] as const };

test('one more costs what lies between two sizes of the same run', () => {
  const cost = (one: Point) => costOfOneMore(points, one, ({ ms }) => ms);
  assert.equal(cost(points[3]!), 20);
  assert.equal(cost(points[0]!), 20);
  assert.equal(cost(points[1]!), undefined);
  assert.equal(cost(points[2]!), undefined);
});

test('the page has a table of each curve that was measured', () => {
  const page = curvePage(points, run);
  assert.match(page, /^\| 100 \| first build \| 3\.00 s \| 20 ms \| 10 ms \| 100 MiB \| 400 \|$/m);
  assert.match(page, /^\| 10 \| probe \| 0\.50 s \| – \| – \| 100 MiB \| 40 \|$/m);
  assert.deepEqual(
    [...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name),
    ['Steps'],
  );
});

test('the chart has a panel of each curve, with every point within it', () => {
  const all = Object.entries(CURVES).flatMap(([curve, { sizes }]) =>
    sizes.map((size) => ({ ...point(size, size / 3), curve })),
  );
  const chart = curveChart(all);
  for (const name of Object.keys(CURVES)) assert.match(chart, new RegExp(`>${name}</text>`));
  const dots = [...chart.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [+x!, +y!]);
  assert.equal(dots.length, all.length);
  for (const [x, y] of dots) assert.ok(x! >= 62 && x! <= 400 && y! >= 30 && y! <= 240, `${x} ${y}`);
  assert.doesNotMatch(chart, /NaN|Infinity/);
});
