import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { createRedactor } from './redact.ts';
import { createReporter } from './reporter.ts';
import { step } from './testing.ts';
import type { ReporterOptions } from './types.ts';

const A = { stage: 0, step: 0 };

/** What moves the cursor, colours, asks, sets titles, or turns text round, and what is left when half of it is lost. */
const HOSTILE = [
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b]52;c;ZXZpbA==\u001b\\',
  '\u001b]8;;http://evil\u0007',
  '\u001bP+q544e\u001b\\',
  '\u001b[6n',
  '\u001bc',
  '\u001b(0',
  '\u001b',
  '\u009b31m',
  '\u009d0;t\u009c',
  '\u0007\b\u000e\u007f',
  '\u202e\u2066\ufeff',
  '\u2028\u0085',
  '\ud800',
];

const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 8 })
  .map((parts) => parts.join(''));

/** An event of every kind that has a text of somebody else's. */
function events(text: string): readonly Event[] {
  const range = { file: text, start: { line: 1, column: 1 }, end: { line: 1, column: 2 } };
  return [
    step.planned(A, text, `RUN ${text}`),
    { type: 'step-waiting', id: A, ms: 0, stage: text },
    step.started(A),
    step.output(A, `${text}\r${text}`),
    step.output(A, `${text}\n`),
    { type: 'progress', what: text, done: 1, total: 2 },
    { type: 'retry', what: text, attempt: 1, delayMs: 1, reason: text },
    { type: 'message', level: 'info', text },
    { type: 'warning', code: 'X', rule: true, text, hint: text, range },
    step.finished(A, 'failed', 1, text),
    {
      type: 'error',
      error: new AppError('BUILD_FAILED', text, {
        hint: text,
        where: { range, path: text, url: text },
        cause: new Error(text),
      }),
    },
  ];
}

/** What our own display does to a terminal: rows and colours, and the cursor that it hides. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const OWN = /\u001b\[(?:\?2026[hl]|\?25[hl]|\d*[ABGK]|[\d;]*m)|[\n\t\r]/g;

const KINDS: Readonly<Record<string, Partial<ReporterOptions>>> = {
  'plain lines': { mode: 'plain' },
  'plain lines with details and colours': { mode: 'plain', verbose: true, color: true },
  'sections of GitHub': { mode: 'plain', ci: 'github' },
  'JSON lines': { mode: 'json' },
  'a terminal': { mode: 'auto' },
  'a terminal with details': { mode: 'auto', verbose: true, color: true },
};

describe('no control character of others reaches', () => {
  for (const [kind, options] of Object.entries(KINDS)) {
    it(kind, async () => {
      await fc.assert(
        fc.asyncProperty(hostile, async (text) => {
          let written = '';
          let time = 0;
          const reporter = await createReporter({
            mode: 'plain',
            err: {
              write: (part: string) => (written += part),
              isTTY: options.mode === 'auto',
              columns: 80,
              rows: 24,
            },
            verbose: false,
            color: false,
            redactor: createRedactor(),
            readLine: () => text,
            now: () => (time += 1000),
            ...options,
          });
          for (const event of events(text)) reporter.emit(event);
          reporter.close();
          assert.doesNotMatch(written.replace(OWN, ''), /[\p{Cc}\p{Cs}]/u);
          if (options.mode !== 'json') assert.doesNotMatch(written, /\p{Cf}/u);
        }),
        { numRuns: 50 },
      );
    });
  }
});

it('a secret is masked that control sequences had parted', async () => {
  const redactor = createRedactor();
  redactor.add('swordfish');
  let written = '';
  const reporter = await createReporter({
    mode: 'plain',
    err: { write: (part: string) => (written += part) },
    verbose: false,
    color: false,
    redactor,
  });
  const text = 'sword\u001b[1mfish';
  reporter.emit(step.started(A));
  reporter.emit(step.output(A, `${text}\n`));
  reporter.emit({ type: 'message', level: 'info', text });
  reporter.emit({ type: 'error', error: new AppError('USAGE', text) });
  reporter.close();
  assert.doesNotMatch(written, /swordfish/);
  assert.equal(written.split('***').length, 4);
});
