import assert from 'node:assert/strict';
import { test } from 'node:test';
import { svg } from './chart.ts';
import type { Figure } from './figures.ts';
import { lineOf, markdown, shown } from './report.ts';
import type { Row } from './rows.ts';

const row: Row = {
  work: 'steps',
  what: 'build, uncached',
  ours: {
    times: [2000, 1000, 3000],
    ms: 2000,
    cpuMs: 1,
    peakMiB: 99.6,
    phases: { plan: 500, run: 1499.6, rest: 0.4 },
    counts: { requests: 12, receivedMiB: 0.123, sentMiB: 45.6 },
    made: 3,
  },
  peers: { 'zstd|tar': [1000, 1000, 1000] },
  commands: 500,
};
const figures: readonly Figure[] = [
  { what: 'reached', against: 'a|b', goal: 1, reached: 0.5, unit: '' },
  { what: 'far <off>', against: '', goal: 10, reached: 1000, unit: ' ms' },
];
const results = {
  machine: 'one processor',
  versions: ['tar 1'],
  works: [{ name: 'steps', about: 'some steps' }],
  missing: [],
  runs: [
    { command: 'npm run bench', date: '2026-01-02', commit: 'abc', works: ['steps'], load: [1, 2] as const },
  ],
  rows: [row],
  startCpu: 60,
};

test('the page says what was done on what, and marks the goals that are missed', () => {
  const page = markdown(results, figures, { method: 'How.\n', notes: 'Why.\n' });
  const lines = page.split('\n');
  assert.ok(lines.includes('| reached | a\\|b | ≤ 1 | 0.5 |'), page);
  assert.ok(lines.includes('| far <off> |  | ≤ 10 ms | 1000 ms (missed) |'), page);
  assert.match(page, /`npm run bench` on 2026-01-02 from commit abc, load 1 to 2 .*: steps/);
  assert.match(page, /^- Machine: one processor\n- Versions: tar 1\n- Work `steps`: some steps$/m);
  assert.match(
    page,
    /^\| steps \| build, uncached \| 3 \| 2\.00 s \| zstd\\\|tar 1\.00 s \(ratio 2\), its commands alone 0\.50 s \| 100 MiB \| 12 \| 0\.123 MiB \| 46 MiB \|$/m,
  );
  assert.match(page, /^\| steps \| build, uncached \| 2,000 \| run 1,500, plan 500 \|$/m);
  assert.match(page, /^Why\.\n\n## How it is measured\n\nHow\.$/m);
  assert.doesNotMatch(page, /Not measured/);
});

test('what was not measured is said', () => {
  const page = markdown({ ...results, missing: ['kaniko: not there'] }, figures, { method: '', notes: '' });
  assert.match(page, /^- Not measured: kaniko: not there$/m);
});

test('a row is told in two lines', () => {
  assert.equal(
    lineOf(row),
    'steps, build, uncached: 2.00 s, 100 MiB, 12 requests; zstd|tar 1.00 s (ratio 2), its commands alone 0.50 s\n    run 1,500, plan 500',
  );
});

test('the picture has a bar for each figure, none wider than it', () => {
  const picture = svg(figures);
  assert.equal(picture.match(/<rect x="410"/g)?.length, 2);
  const widths = [...picture.matchAll(/<rect x="410" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  assert.ok(widths.every((width) => width <= 420));
  assert.ok(widths[0]! < widths[1]!);
  assert.match(picture, /far &lt;off>/);
});

test('figures are shown with three digits, or whole from ten on', () => {
  assert.deepEqual([0.0123, 1.05, 9.96, 10.4, 1234.5].map(shown), ['0.0123', '1.05', '9.96', '10', '1235']);
});
