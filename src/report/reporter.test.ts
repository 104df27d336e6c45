import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { AppError } from '../core/error.ts';
import { createRedactor } from './redact.ts';
import { createReporter } from './reporter.ts';
import { step, type TimedEvent } from './testing.ts';
import type { ReporterOptions } from './types.ts';

const A = { stage: 0, step: 0 };
const B = { stage: 0, step: 1 };
const C = { stage: 1, step: 0 };

const PLAN: readonly TimedEvent[] = [
  [0, step.planned(A, 'build', 'RUN apt-get install \\\n  gcc')],
  [0, step.planned(B, 'build', 'COPY . /src')],
  [0, step.planned(C, '1', 'COPY --from=build /src/a /a')],
];

async function play(
  events: readonly TimedEvent[],
  { end, ...options }: Partial<ReporterOptions> & { end: number },
): Promise<string> {
  let time = 0;
  let text = '';
  const redactor = createRedactor();
  redactor.add('swordfish');
  const reporter = await createReporter({
    mode: 'plain',
    err: { write: (part: string) => (text += part) },
    verbose: false,
    color: false,
    redactor,
    now: () => time,
    ...options,
  });
  for (const [at, event] of events) {
    time = at;
    reporter.emit(event);
  }
  time = end;
  reporter.close();
  return text;
}

describe('plain lines', () => {
  it('say that a step waits for another build', async () => {
    const text = await play(
      [
        ...PLAN,
        [1000, { type: 'step-waiting', id: A, ms: 1000 }],
        [12_000, { type: 'step-waiting', id: A, ms: 12_400 }],
        [13_000, step.finished(A, 'hit', 13_000)],
      ],
      { end: 14_000 },
    );
    assert.match(
      text,
      /#1 \[build 1\/2\] RUN apt-get install …\n#1 waiting for another build of this step, since 1 s\n#1 waiting for another build of this step, since 12 s\n#1 CACHED\n/,
    );
  });

  it('leave out that a step waits for a stage, and its time', async () => {
    const text = await play(
      [
        ...PLAN,
        [10, step.started(A)],
        [20, { type: 'step-waiting', id: C, ms: 0, stage: 'build' }],
        [3000, step.finished(A, 'built', 2990)],
        [3000, step.started(C)],
        [4500, step.output(C, 'one\n')],
        [5000, step.finished(C, 'built', 2000)],
      ],
      { end: 6000 },
    );
    assert.match(
      text,
      /#1 DONE 3.0s\n#3 \[stage-1 1\/1\] COPY --from=build \/src\/a \/a\n#3 1.50 one\n#3 DONE 2.0s\n/,
    );
  });

  it('show a run step by step, with the output of parallel steps kept apart', async () => {
    const text = await play(
      [
        ...PLAN,
        [10, step.finished(A, 'hit', 0)],
        [20, step.started(B)],
        [30, step.started(C)],
        [550, step.output(B, 'one\ntw')],
        [600, step.output(C, '10%\r50%\r100%\n')],
        [650, step.output(B, 'o\x1b[1m!\x1b[0m\n\nleft')],
        [1220, step.finished(B, 'built', 1200, 'the files it copies changed')],
        [1530, step.finished(C, 'built', 1500)],
        [1600, { type: 'transfer', direction: 'push', digest: 'sha256:x', bytes: 1_250_000 }],
        [1600, { type: 'phase', phase: 'run', ms: 1400 }],
        [1600, { type: 'phase', phase: 'plan', ms: 20 }],
        [1600, { type: 'phase', phase: 'run', ms: 100 }],
      ],
      { end: 2000 },
    );
    assert.equal(
      text,
      `#1 [build 1/2] RUN apt-get install …
#1 CACHED
#2 [build 2/2] COPY . /src
#3 [stage-1 1/1] COPY --from=build /src/a /a
#2 0.53 one
#3 0.57 100%
#2 0.63 two!
#2 0.63
#2 1.20 left
#2 not cached: the files it copies changed
#2 DONE 1.2s
#3 DONE 1.5s
done in 2.0 s: 3 steps, 1 from the cache, 2 built
pulled 0 B, pushed 1.3 MB
time by phase (they overlap): run 1.5 s, plan 20 ms
`,
    );
  });

  it('repeat the end of the output of a failing step above its error only where it is not at hand', async () => {
    const error = new AppError('BUILD_FAILED', 'RUN false exited with code 1');
    const end = async (others: number, options: Partial<ReporterOptions> = {}): Promise<string> => {
      const output = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join('');
      const text = await play(
        [
          [0, step.planned(A, '0', 'RUN false')],
          [0, step.planned(B, '0', 'RUN other')],
          [0, step.started(A)],
          [0, step.started(B)],
          [5, step.output(A, output)],
          [5, step.output(B, 'other\n'.repeat(others))],
          [10, step.finished(A, 'failed', 10)],
          [10, { type: 'error', error }],
        ],
        { end: 100, ...options },
      );
      return text.split('#1 ERROR\n')[1]!;
    };
    const summary =
      'failed after 100 ms: 2 steps, 0 from the cache, 0 built, 1 failed\npulled 0 B, pushed 0 B\n';
    const said = Array.from({ length: 20 }, (_, i) => `  line ${i + 11}\n`).join('');
    const tail = `[stage-0 1/2] RUN false: the end of its output\n${said}`;
    const last = 'error: RUN false exited with code 1\n';
    assert.equal(await end(0), `${summary}${last}`);
    assert.equal(await end(30), `${summary}${tail}${last}`);
    // A folded section hides it.
    assert.equal(await end(0, { ci: 'github' }), `${summary}${tail}${last}`);
    let errors = '';
    await end(0, { errors: { write: (part: string) => (errors += part) } });
    assert.equal(errors, `${tail}${last}`);
  });

  it('show warnings with their place, retries, and details only when asked for', async () => {
    const range = { file: 'Dockerfile', start: { line: 2, column: 5 }, end: { line: 2, column: 8 } };
    const events: readonly TimedEvent[] = [
      [
        0,
        {
          type: 'warning',
          code: 'StageNameCasing',
          rule: true,
          text: 'odd name',
          hint: 'use lower case',
          range,
        },
      ],
      [0, { type: 'retry', what: 'push a layer', attempt: 2, delayMs: 1500, reason: 'status 503' }],
      [0, { type: 'message', level: 'debug', text: 'detail' }],
    ];
    const readLine = (): string => 'AS  Foo';
    const plain = `warning: StageNameCasing: odd name
  --> Dockerfile:2:5
  |
2 | AS  Foo
  |     ^^^
hint: use lower case
retrying push a layer in 1.5 s (attempt 2 failed: status 503)
`;
    assert.equal(await play(events, { end: 1, readLine }), `${plain}done in 1 ms\n`);
    assert.equal(await play(events, { end: 1, readLine, verbose: true }), `${plain}detail\ndone in 1 ms\n`);
  });

  it('show progress now and then', async () => {
    const at = (ms: number, done: number): TimedEvent => [
      ms,
      { type: 'progress', what: 'extract', done, total: 4e6 },
    ];
    const text = await play([at(0, 1e6), at(100, 2e6), at(5100, 3e6), at(5200, 4e6)], { end: 6000 });
    assert.equal(text, 'extract: 3.0 MB of 4.0 MB\ndone in 6.0 s\n');
  });

  it('mask secrets, also when they arrive in two chunks', async () => {
    const text = await play(
      [
        [0, step.planned(A, 'b', 'RUN echo swordfish')],
        [0, step.started(A)],
        [0, step.output(A, 'the sword')],
        [0, step.output(A, 'fish swims\n')],
        [0, step.finished(A, 'failed', 1)],
        [0, { type: 'error', error: new AppError('BUILD_FAILED', 'swordfish') }],
      ],
      { end: 1 },
    );
    assert.doesNotMatch(text, /swordfish/);
    assert.match(text, /the \*\*\* swims/);
  });
});

describe('JSON lines', () => {
  it('hold one event each, output by line, the error as data, and a summary at the end', async () => {
    const text = await play(
      [
        [0, step.planned(A, 'b', 'RUN x')],
        [0, step.started(A)],
        [1000, step.output(A, 'a\nsword')],
        [1000, step.output(A, 'fish', 'stdout')],
        [1000, step.finished(A, 'failed', 1000)],
        [
          1000,
          { type: 'error', error: new AppError('BUILD_FAILED', 'm', { hint: 'h', where: { path: '/p' } }) },
        ],
      ],
      { end: 2000, mode: 'json' },
    );
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const time = '1970-01-01T00:00:01.000Z';
    assert.deepEqual(lines.slice(2, 4), [
      { time, type: 'step-output', id: A, stream: 'stdout', text: 'a' },
      { time, type: 'step-output', id: A, stream: 'stdout', text: '***' },
    ]);
    assert.deepEqual(lines.at(-2), {
      time,
      type: 'error',
      error: { code: 'BUILD_FAILED', message: 'm', hint: 'h', where: { path: '/p' } },
    });
    const { type, ms, planned, failed } = lines.at(-1);
    assert.deepEqual({ type, ms, planned, failed }, { type: 'summary', ms: 2000, planned: 1, failed: 1 });
    assert.deepEqual(
      lines.map((line) => line.type),
      ['step-planned', 'step-started', 'step-output', 'step-output', 'step-finished', 'error', 'summary'],
    );
  });
});

describe('a terminal', () => {
  it('keeps a line for every finished step, and the output only when asked for', async () => {
    const events: readonly TimedEvent[] = [
      ...PLAN,
      [10, step.finished(A, 'hit', 0)],
      [20, step.started(B)],
      [550, step.output(B, 'copying swordfish\n')],
      [1220, step.finished(B, 'built', 1200)],
      [1530, step.finished(C, 'failed', 1500)],
      [1600, { type: 'error', error: new AppError('CONTEXT', 'gone') }],
    ];
    let text = '';
    const err = { write: (part: string) => (text += part), isTTY: true, columns: 80, rows: 24 };
    await play(events, { end: 2000, mode: 'auto', err });
    const lines = [
      '● [build 1/2] RUN apt-get install … cached',
      '✔ [build 2/2] COPY . /src 1.2 s',
      '✖ [stage-1 1/1] COPY --from=build /src/a /a 1.5 s',
      'failed after 2.0 s: 3 steps, 1 from the cache, 1 built, 1 failed',
      'pulled 0 B, pushed 0 B',
      'error: gone',
    ];
    const kept = (shown: string): string[] =>
      stripVTControlCharacters(shown)
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean);
    assert.deepEqual(kept(text), lines);
    text = '';
    await play(events, { end: 2000, mode: 'auto', err, verbose: true });
    assert.deepEqual(
      kept(text).filter((line) => !lines.includes(line)),
      ['#2 copying ***'],
    );
  });

  it('shows the output of a failing step once', async () => {
    const events: readonly TimedEvent[] = [
      [0, step.planned(A, '0', 'RUN false')],
      [0, step.started(A)],
      [5, step.output(A, 'no such thing\n')],
      [10, step.finished(A, 'failed', 10)],
      [10, { type: 'error', error: new AppError('BUILD_FAILED', 'RUN false exited with code 1') }],
    ];
    for (const verbose of [false, true]) {
      let text = '';
      const err = { write: (part: string) => (text += part), isTTY: true, columns: 80, rows: 24 };
      await play(events, { end: 20, mode: 'auto', err, verbose });
      assert.equal(text.split('no such thing').length, 2, text);
    }
  });
});
