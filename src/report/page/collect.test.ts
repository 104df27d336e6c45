import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '../../core/error.ts';
import { schemaProblems } from '../../core/json-schema.ts';
import { createRedactor } from '../redact.ts';
import { step, type TimedEvent } from '../testing.ts';
import { createReportCollector, type ReportCollector } from './collect.ts';
import { criticalParts } from './critical.ts';
import { reportPage } from './page.ts';
import { REPORT_SCHEMA } from './schema.ts';
import type { Report } from './types.ts';

const A = { stage: 0, step: 0 };
const B = { stage: 0, step: 1 };
const C = { stage: 1, step: 0 };
const D = { stage: 1, step: 1 };
const PLAN: readonly TimedEvent[] = [
  [20, { type: 'phase', phase: 'plan', ms: 20 }],
  [20, step.planned(A, 'build', 'RUN apt-get install gcc')],
  [20, step.planned(B, 'build', 'RUN make')],
  [20, step.planned(C, '1', 'COPY --from=build /a /a')],
  [20, step.planned(D, '1', 'RUN strip /a')],
];
const STAGES = [
  { index: 0, name: 'build', platform: 'linux/amd64', target: false, base: 'debian', from: null, reads: [] },
  { index: 1, name: '1', platform: 'linux/amd64', target: true, base: 'scratch', from: null, reads: [0] },
];

function collect(
  events: readonly TimedEvent[],
  end: number,
  more: (collector: ReportCollector) => void = () => {},
): Report {
  let time = 0;
  const redactor = createRedactor();
  redactor.add('swordfish');
  const collector = createReportCollector({
    command: 'build',
    facts: [{ name: 'envbuilder', value: '1' }],
    redactor,
    readLine: () => 'RUN echo swordfish',
    now: () => time,
  });
  for (const [at, event] of events) {
    time = at;
    collector.emit(event);
  }
  collector.observer.planned(STAGES);
  more(collector);
  time = end;
  const report = collector.report();
  assert.deepEqual(schemaProblems(report, REPORT_SCHEMA), []);
  return report;
}

const BUILT: readonly TimedEvent[] = [
  ...PLAN,
  [30, { type: 'phase', phase: 'lookup', ms: 10 }],
  [30, step.finished(A, 'hit', 0)],
  [30, { type: 'step-waiting', id: C, ms: 0, stage: 'build' }],
  [40, step.started(B)],
  [1030, { type: 'phase', phase: 'extract', ms: 990 }],
  [9000, step.finished(B, 'built', 8960, 'the files changed')],
  [9000, step.started(C)],
  [9100, step.finished(C, 'built', 100)],
  [9100, { type: 'step-waiting', id: D, ms: 0 }],
  [9500, step.started(D)],
  [9600, step.finished(D, 'built', 100)],
  [9650, { type: 'transfer', direction: 'push', digest: 'sha256:1', bytes: 10 }],
  [9700, { type: 'transfer', direction: 'push', digest: 'sha256:1', bytes: 20 }],
  [9800, { type: 'phase', phase: 'upload', ms: 200 }],
];

describe('a report', () => {
  it('tells waiting from running, and what was waited for', () => {
    const { stages, totals, transfers, outcome } = collect(BUILT, 10_000);
    const [build, last] = stages;
    assert.equal(outcome, 'done');
    assert.deepEqual(totals, { steps: 4, hit: 1, built: 3, failed: 0, bytesPulled: 0, bytesPushed: 30 });
    assert.deepEqual(
      build!.steps.map(({ outcome: one, ms, waitedMs }) => [one, ms, waitedMs]),
      [
        ['hit', 0, 0],
        ['built', 8960, 0],
      ],
    );
    assert.deepEqual(last!.steps[0]!.spans, [
      { what: 'stage', stage: 'build', from: 30, to: 9000 },
      { what: 'ran', from: 9000, to: 9100 },
    ]);
    assert.deepEqual(last!.steps[1]!.spans, [
      { what: 'build', from: 9100, to: 9500 },
      { what: 'ran', from: 9500, to: 9600 },
    ]);
    assert.deepEqual([last!.name, last!.reads, last!.target], ['stage-1', [0], true]);
    assert.deepEqual(transfers, [{ direction: 'push', digest: 'sha256:1', bytes: 30, from: 9650, to: 9700 }]);
  });

  it('has causes with their codes, and the words of the log where there are none', () => {
    const cause = { code: 'build-arg', text: 'ARG VERSION changed' };
    const { stages } = collect(BUILT, 10_000, ({ observer }) => {
      const named = { ...cause, names: ['VERSION'] };
      observer.missed(D, [named]);
    });
    assert.deepEqual(stages[1]!.steps[1]!.causes, [cause]);
    assert.deepEqual(stages[0]!.steps[1]!.causes, [{ code: 'unknown', text: 'the files changed' }]);
    assert.deepEqual(stages[0]!.steps[0]!.causes, []);
  });

  it('says what the end had to wait for, without gaps or overlaps', () => {
    const report = collect(BUILT, 10_000);
    const parts = criticalParts(report);
    assert.deepEqual(
      parts.map(({ what, phase, step: one, from, to }) => [phase ?? one?.text ?? what, from, to]),
      [
        ['plan', 0, 20],
        ['lookup', 20, 30],
        ['other', 30, 40],
        ['extract', 40, 1030],
        ['RUN make', 1030, 9000],
        ['COPY --from=build /a /a', 9000, 9100],
        ['RUN strip /a', 9100, 9500],
        ['RUN strip /a', 9500, 9600],
        ['upload', 9600, 9800],
        ['other', 9800, 10_000],
      ],
    );
    assert.equal(parts[6]!.what, 'build');
    assert.match(reportPage(report), /Most of it, <strong>8\.0 s<\/strong>, went into <code><bdi>RUN make/);
  });

  it('covers the whole time of any run', () => {
    for (const [events, end] of [
      [[], 500],
      [PLAN, 500],
      [BUILT.slice(0, 9), 5000],
      [BUILT.slice(0, 12), 9050],
    ] as const) {
      const parts = criticalParts(collect(events, end));
      const ends = parts.map(({ to }) => to);
      assert.deepEqual(
        parts.map(({ from }) => from),
        [0, ...ends.slice(0, -1)],
      );
      assert.equal(ends.at(-1), end);
    }
  });

  it('of a failed run has the error, its place, and the end of the output', () => {
    const range = { file: '/Dockerfile', start: { line: 2, column: 1 }, end: { line: 2, column: 9 } };
    const error = new AppError('BUILD_FAILED', 'RUN make exited with code 2', {
      where: { range },
      hint: 'look',
    });
    const report = collect(
      [
        ...PLAN,
        [30, step.started(A)],
        [30, { type: 'step-waiting', id: C, ms: 0, stage: 'build' }],
        [40, step.output(A, 'one\ntwo swordfish\nleft')],
        [50, step.finished(A, 'failed', 20)],
        [50, { type: 'error', error }],
      ],
      60,
    );
    assert.equal(report.outcome, 'failed');
    assert.deepEqual(report.stages[0]!.steps[0]!.output, ['one', 'two ***', 'left']);
    assert.deepEqual(
      report.stages.flatMap(({ steps }) => steps.map(({ outcome }) => outcome)),
      ['failed', 'unneeded', 'unfinished', 'unneeded'],
    );
    assert.equal(report.error?.code, 'BUILD_FAILED');
    assert.deepEqual(report.error?.frame.slice(0, 3), ['--> /Dockerfile:2:1', '  |', '2 | RUN echo ***']);
  });

  it('holds no secret, in no form and no place', () => {
    const text = 'a swordfish';
    const hidden = JSON.stringify(
      collect(
        [
          [0, step.planned(A, text, text)],
          [0, { type: 'warning', code: 'X', text, hint: text }],
          [
            0,
            {
              type: 'retry',
              what: text,
              attempt: 1,
              delayMs: 1,
              reason: Buffer.from('swordfish').toString('base64'),
            },
          ],
          [0, { type: 'warning', code: 'X', text: 'GET https://me:hunter22@r.example/v2/' }],
          [5, step.started(A)],
          [5, { type: 'step-waiting', id: A, ms: 0, stage: text }],
          [9, step.finished(A, 'built', 5, text)],
        ],
        10,
        ({ observer }) => {
          const files = { count: 1, bytes: 1, largest: [{ path: text, bytes: 1 }] };
          const layer = { digest: 'x', size: 1, origin: 'built', createdBy: text, files } as const;
          const waste = { bytes: 0, count: 0, largest: [], complete: true };
          observer.made([{ platform: 'x', digest: 'x', size: 1, layers: [layer], waste }]);
        },
      ),
    );
    assert.doesNotMatch(hidden, /swordfish|hunter22|c3dvcmRmaXNo/);
  });
});
