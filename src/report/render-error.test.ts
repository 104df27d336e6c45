import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError, type SourceRange } from '../core/error.ts';
import { errorRecord, renderError } from './render-error.ts';
import { createStyle } from './style.ts';

function range(line: number, from: number, to: number, endLine = line): SourceRange {
  return { file: 'Dockerfile', start: { line, column: from }, end: { line: endLine, column: to } };
}

const CASES: readonly {
  readonly name: string;
  readonly error: AppError;
  readonly verbose?: boolean;
  readonly file?: string;
  readonly expected: string;
}[] = [
  { name: 'message alone', error: new AppError('REGISTRY', 'no answer'), expected: 'error: no answer' },
  {
    name: 'place and hint',
    error: new AppError('DOCKERFILE', 'unknown instruction RUM', {
      hint: 'did you mean RUN?',
      where: { range: range(3, 1, 4), sourceLine: 'RUM make' },
    }),
    expected: [
      'error: unknown instruction RUM',
      '  --> Dockerfile:3:1',
      '  |',
      '3 | RUM make',
      '  | ^^^',
      'hint: did you mean RUN?',
    ].join('\n'),
  },
  {
    name: 'a range over several lines, behind a tab, in a file that is read',
    error: new AppError('DOCKERFILE', 'bad', { where: { range: range(12, 6, 2, 14) } }),
    file: 'RUN\t a b \\',
    expected: ['error: bad', '  --> Dockerfile:12:6', '   |', '12 | RUN\t a b \\', '   |    \t ^^^^^'].join(
      '\n',
    ),
  },
  {
    name: 'a range beyond the line',
    error: new AppError('DOCKERFILE', 'bad', { where: { range: range(1, 9, 12), sourceLine: 'FROM\nx' } }),
    expected: ['error: bad', '  --> Dockerfile:1:9', '  |', '1 | FROM', '  |     ^'].join('\n'),
  },
  {
    name: 'a place that the message does not name',
    error: new AppError('CORRUPT', 'wrong digest in /a', {
      where: { path: '/a', layer: 'sha256:12', url: 'http://h/' },
    }),
    expected: 'error: wrong digest in /a\n  --> layer sha256:12\n  --> http://h/',
  },
  {
    name: 'causes, when asked for',
    error: new AppError('PUSH_FAILED', 'cannot push', {
      cause: new AppError('REGISTRY', 'status 500', { cause: new Error('reset') }),
    }),
    verbose: true,
    expected: 'error: cannot push\ncaused by [REGISTRY]: status 500\ncaused by: reset',
  },
  {
    name: 'no causes otherwise',
    error: new AppError('PUSH_FAILED', 'cannot push', { cause: new Error('reset') }),
    expected: 'error: cannot push',
  },
];

describe('renderError', () => {
  for (const { name, error, verbose = false, file, expected } of CASES) {
    it(name, () => {
      const style = createStyle(false);
      assert.equal(renderError(error, { verbose, style, readLine: () => file }), expected);
    });
  }

  it('shows the stack of a defect', () => {
    const error = new AppError('INTERNAL', 'oops', { cause: new RangeError('inner') });
    assert.match(
      renderError(error, { verbose: false, style: createStyle(false) }),
      /oops\nRangeError: inner\n {4}at .*report/s,
    );
  });

  it('ends at a cause that causes itself', () => {
    const cause = new Error('loop');
    cause.cause = cause;
    const text = renderError(new AppError('REGISTRY', 'x', { cause }), {
      verbose: true,
      style: createStyle(false),
    });
    assert.equal(text, 'error: x\ncaused by: loop');
  });
});

describe('errorRecord', () => {
  it('keeps code, place and hint', () => {
    const where = { path: '/x' };
    assert.deepEqual(errorRecord(new AppError('OUTPUT', 'm', { hint: 'h', where })), {
      code: 'OUTPUT',
      message: 'm',
      hint: 'h',
      where,
    });
  });
});
