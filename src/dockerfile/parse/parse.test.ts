import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AppError, type SourceRange } from '../../core/error.ts';
import type { Dockerfile } from '../types.ts';
import { parseDockerfile } from './parse.ts';

/*
 * One folder a case: a Dockerfile with either expected.json (what it means) or error.txt (what is wrong with it).
 * UPDATE_GOLDENS=1 writes what comes out; read the difference before committing it.
 */
const CASES = join(import.meta.dirname, 'testdata');

describe('parseDockerfile', () => {
  for (const name of readdirSync(CASES)) {
    test(name, () => {
      const folder = join(CASES, name);
      const outcome = outcomeOf(readFileSync(join(folder, 'Dockerfile')));
      const file = join(folder, outcome.file);
      if (process.env.UPDATE_GOLDENS) writeFileSync(file, outcome.text);
      const other = outcome.file === 'error.txt' ? 'expected.json' : 'error.txt';
      assert.ok(
        !existsSync(join(folder, other)),
        `${other} was expected, but this came out:\n${outcome.text}`,
      );
      assert.equal(outcome.text, readFileSync(file, 'utf8'));
    });
  }
});

function outcomeOf(content: Buffer): { file: string; text: string } {
  try {
    return { file: 'expected.json', text: render(parseDockerfile(content, 'Dockerfile')) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { file: 'error.txt', text: renderError(error) };
  }
}

/** Without what the Dockerfile itself shows, and with ranges as `line:column-line:column`. */
function render({ escape: escapeChar, directives, metaArgs, stages, warnings }: Dockerfile): string {
  const shown = {
    escape: escapeChar,
    directives: Object.fromEntries(directives),
    metaArgs,
    stages,
    warnings,
  };
  const text = JSON.stringify(shown, (key, value) => (key === 'range' ? renderRange(value) : value), 1);
  return `${text}\n`;
}

/** Message, hint, and the source line with carets under the range. */
function renderError({ message, hint, where }: AppError): string {
  const range = where?.range;
  const line = where?.sourceLine ?? '';
  const lines = [`DOCKERFILE ${message}`, `hint: ${hint}`];
  if (range) {
    const end = range.end.line === range.start.line ? range.end.column : line.length + 1;
    const carets = '^'.repeat(Math.max(1, end - range.start.column));
    lines.push(`at ${renderRange(range)}`, `| ${line}`, `| ${' '.repeat(range.start.column - 1)}${carets}`);
  }
  return `${lines.join('\n')}\n`;
}

function renderRange({ start, end }: SourceRange): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`;
}
