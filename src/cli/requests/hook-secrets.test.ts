import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppError } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { createRedactor } from '../../report/redact.ts';
import { parseOptions } from '../options/parse.ts';
import { hookSecrets } from './hook-secrets.ts';

const dir = scratchDir('hook-secrets');
const read = (file: string, redactor = createRedactor()) =>
  hookSecrets(parseOptions('start', [], { ENVBUILDER_SECRETS_FILE: file }), { cwd: dir, redactor });

test('variables of a file are masked from then on', () => {
  const value = 'p"4ss\nword two';
  writeFileSync(join(dir, 'good'), `\uFEFF{"TOKEN": ${JSON.stringify(value)}, /* and */ "SHORT": "x",}`);
  const redactor = createRedactor();
  const found = read('good', redactor);
  assert.deepEqual(found?.env, { TOKEN: value, SHORT: 'x' });
  assert.equal(redactor.text(`a ${value} b`), 'a *** b');
  for (const form of [value, 'word two', Buffer.from(value).toString('base64')])
    assert.ok(found.masked.includes(form), form);
  assert.ok(!found.masked.includes('x'));
  assert.equal(read(''), undefined);
});

test('anything else is refused, and no error has a value in it', () => {
  const value = 'secret-value';
  for (const [i, text] of [
    value,
    `"${value}"`,
    `["${value}"]`,
    `{"A": "${value}"`,
    `{"A": ["${value}"]}`,
    `{"A": {"B": "${value}"}}`,
    `{"B": "${value}", "A": 1}`,
    `{"B": "${value}", "A": null}`,
    `{"A=B": "${value}"}`,
    `{"": "${value}"}`,
    `{"A": "${value}\\u0000"}`,
    `{"A\\u0000": "${value}"}`,
    '',
  ].entries()) {
    writeFileSync(join(dir, `bad${i}`), text);
    assert.throws(
      () => read(`bad${i}`),
      ({ code, message, hint, where }: AppError) =>
        code === 'USAGE' && !JSON.stringify([message, hint, where]).includes(value),
      text,
    );
  }
  for (const path of ['none', '.', '/dev/zero']) assert.throws(() => read(path), { code: 'USAGE' }, path);
});
