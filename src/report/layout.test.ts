import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cut, widthOf } from './cut.ts';
import { layOut, type Scene, type Size } from './layout.ts';
import type { StepView } from './step-board.ts';
import { createStyle } from './style.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 250 }),
  fc.constantFrom(
    '',
    '日本語の出力'.repeat(20),
    'a'.repeat(300),
    '👩‍👩‍👧👍🏽'.repeat(30),
    'e\u0301'.repeat(90),
  ),
);

const view = (waits: boolean): fc.Arbitrary<StepView> =>
  fc.record({
    number: fc.nat(100),
    label: text,
    startedAt: fc.option(fc.nat(1e8), { nil: undefined }),
    waitsFor: waits ? text : fc.constant(undefined),
    tail: fc.array(text, { maxLength: 21 }),
  });

const scene: fc.Arbitrary<Scene> = fc.record({
  elapsed: fc.nat(1e8),
  planned: fc.nat(200),
  finished: fc.nat(200),
  running: fc.array(view(false), { maxLength: 40 }),
  waiting: fc.array(view(true), { maxLength: 20 }),
  traffic: fc.array(text, { maxLength: 6 }),
});

const size: fc.Arbitrary<Size> = fc.record({
  columns: fc.integer({ min: 20, max: 250 }),
  rows: fc.integer({ min: 5, max: 80 }),
});

const step = (label: string, output: number, more: Partial<StepView> = {}): StepView => ({
  number: 1,
  label,
  startedAt: 0,
  waitsFor: undefined,
  tail: Array.from({ length: output }, (_, i) => `${label} says ${i + 1}`),
  ...more,
});

const draw = (running: readonly StepView[], rows: number, columns = 80, more: Partial<Scene> = {}) =>
  layOut(
    { elapsed: 12_300, planned: 9, finished: 5, running, waiting: [], traffic: [], ...more },
    { columns, rows },
    createStyle(false),
    12_000,
  );

describe('the live part', () => {
  it('is never wider or higher than the terminal', () => {
    fc.assert(
      fc.property(scene, size, fc.boolean(), (what, { columns, rows }, color) => {
        const lines = layOut(what, { columns, rows }, createStyle(color), 1e8);
        assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`);
        for (const line of lines) {
          assert.ok(!line.includes('\n'));
          assert.ok(widthOf(line) < columns, `${widthOf(line)} of ${columns}: ${line}`);
        }
      }),
    );
  });

  it('shows every step that runs as long as there is a row for it, and some of its output', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 21 }),
        size,
        (count, output, { rows }) => {
          const steps = Array.from({ length: count }, (_, i) => step(`[s ${i}] RUN`, output));
          const lines = draw(steps, rows);
          const labels = lines.filter((line) => line.startsWith('▸')).length;
          const more = /and (\d+) more/.exec(lines.join('\n'))?.[1];
          assert.equal(labels + Number(more ?? 0), rows > 2 ? count : labels);
          for (const { label } of steps.slice(0, labels)) {
            const said = lines.filter((line) => line.includes(`${label} says`));
            assert.ok(said.length >= 1 && said.length <= 6);
            assert.ok(said.at(-1)!.includes(`says ${output}`));
          }
        },
      ),
    );
  });

  it('gives each step six lines of output, or as many as there is room for', () => {
    const outputs = (count: number, rows: number): readonly number[] => {
      const lines = draw(
        Array.from({ length: count }, (_, i) => step(`${i}`, 20)),
        rows,
      );
      return Array.from(
        { length: count },
        (_, i) => lines.filter((line) => line.startsWith(`  │ ${i} says`)).length,
      );
    };
    assert.deepEqual(outputs(1, 24), [6]);
    assert.deepEqual(outputs(3, 24), [6, 6, 6]);
    assert.deepEqual(outputs(4, 24), [5, 5, 4, 4]);
    assert.deepEqual(outputs(1, 5), [2]);
    assert.deepEqual(outputs(3, 5), [0, 0, 0]);
  });

  it('puts the last line behind the label where it has no line of its own', () => {
    const long = `[build 3/7] RUN ${'apt-get install '.repeat(10)}`;
    const [line] = draw([step(long, 3), step('b', 1), step('c', 1)], 5);
    assert.match(line!, /^▸ \[build 3\/7\] RUN .*… 12\.0 s │ \[build/);
    assert.ok(line!.indexOf('│') < 60);
  });

  it('tells what the whole is at, what waits for what, and what moves', () => {
    const waiting = [
      step('[last 2/3] COPY --from=build /a /a', 0, { waitsFor: 'waiting for the stage build' }),
    ];
    const traffic = ['uploads: 12 MB of 34 MB, 5.6 MB/s, 4 s left'];
    assert.deepEqual(draw([step('[build 3/7] RUN make', 1)], 24, 80, { waiting, traffic }), [
      '▸ [build 3/7] RUN make 12.0 s',
      '  │ [build 3/7] RUN make says 1',
      '◦ [last 2/3] COPY --from=build /a /a 12.0 s │ waiting for the stage build',
      '  uploads: 12 MB of 34 MB, 5.6 MB/s, 4 s left',
      '12.3 s · 5 of 9 steps · 1 waiting',
    ]);
  });
});

it('a line is cut by the columns that it takes', () => {
  assert.equal(cut('日本語', 6), '日本語');
  assert.equal(cut('日本語', 5), '日本…');
  assert.equal(cut('日本語', 4), '日…');
  assert.equal(cut('e\u0301e\u0301e\u0301', 3), 'e\u0301e\u0301e\u0301');
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 100 }), (line, columns) => {
      assert.ok(widthOf(cut(line, columns)) <= columns);
    }),
  );
});
