import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../core/error.ts';
import { parseDockerfile } from './parse.ts';

const PIECES = [
  'FROM scratch',
  'FROM a AS b',
  'ARG ',
  'ENV a=b',
  'LABEL ',
  'RUN ',
  'COPY ',
  'ADD ',
  'ONBUILD ',
  'HEALTHCHECK ',
  'CMD ',
  'SHELL ',
  'VOLUME ',
  'EXPOSE ',
  'USER ',
  'WORKDIR ',
  'STOPSIGNAL ',
  'MAINTAINER ',
  '--mount=',
  '--from=b ',
  'type=cache',
  ',target=/x',
  ',',
  '=',
  '"',
  "'",
  '\\',
  '`',
  '$x',
  '${x',
  ':-',
  '}',
  '<<EOF',
  '<<-',
  'EOF',
  '# ',
  '# escape=`',
  '# check=',
  'skip=all',
  '["a"',
  ', "b"]',
  '[',
  ']',
  ' ',
  '\t',
  '\n',
  '\\\n',
  'x',
  'é',
  '😀',
  '\0',
  '--',
];

const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join(''));
const file = fc.oneof(
  text,
  text.map((rest) => `FROM scratch\n${rest}`),
  fc.string({ unit: 'binary' }),
);

function outcomeOf(content: Buffer | string): unknown {
  try {
    const { metaArgs, stages, warnings, directives } = parseDockerfile(content, 'D');
    return withoutRanges({ metaArgs, stages, warnings, directives: [...directives] });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { error: error.message, at: error.where?.range?.start };
  }
}

function withoutRanges(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, item) => (key === 'range' ? undefined : item)));
}

test('any text parses or is an AppError with a range inside the file', () => {
  fc.assert(
    fc.property(file, (content) => {
      try {
        parseDockerfile(content, 'D');
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const range = error.where?.range;
        assert.ok(range, error.message);
        assert.ok(range.start.line >= 1 && range.start.line <= content.split('\n').length);
        const line = error.where?.sourceLine ?? '';
        assert.ok(range.start.column >= 1 && range.start.column <= line.length + 1);
      }
    }),
    { numRuns: 1000 },
  );
});

test('any bytes parse or are an AppError', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      outcomeOf(Buffer.from(bytes));
    }),
  );
});

test('CRLF and LF mean the same', () => {
  const lf = file.filter((content) => !content.includes('\r'));
  fc.assert(
    fc.property(lf, (content) =>
      assert.deepEqual(outcomeOf(content.replaceAll('\n', '\r\n')), outcomeOf(content)),
    ),
    { numRuns: 500 },
  );
});

test('a byte order mark means nothing, not even for columns', () => {
  fc.assert(
    fc.property(text, (content) => assert.deepEqual(outcomeOf(`\ufeff${content}`), outcomeOf(content))),
  );
});

test('every range of a flag shows the flag in its line', () => {
  const name = fc.constantFrom('chown', 'chmod', 'from', 'exclude');
  const gap = fc.constantFrom(' ', '  ', ' \\\n', ' \\\n  # note\n   ');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, gap), { minLength: 1, maxLength: 4 }), gap, (flags, before) => {
      const written = flags.map(([flag, space]) => `--${flag}=v${space}`).join('');
      const content = `FROM scratch\nCOPY${before}${written}--wrong=1 a b\n`;
      assert.throws(
        () => parseDockerfile(content, 'D'),
        ({ where }: AppError) => {
          const { start, end } = where!.range!;
          const shown = where!.sourceLine!.slice(start.column - 1, end.column - 1);
          return (
            shown.startsWith('--') &&
            start.line === end.line &&
            content.split('\n')[start.line - 1] === where!.sourceLine
          );
        },
      );
    }),
  );
});
