/* An image has no more layers than are read again: what one more would make is an error at its step, and no miss later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT_CODES } from '../src/core/error.ts';
import { LIMITS } from '../src/core/limits.ts';
import { createSandbox } from './support/sandbox.ts';

const { most } = LIMITS.layers;

/** Steps that change something, and ones that do not, behind each other. */
const dockerfile = (changes: number, others = 0): string =>
  [
    'FROM scratch AS all',
    ...Array.from({ length: changes }, (_, i) => `COPY f /f${i}`),
    ...Array.from({ length: others }, () => 'WORKDIR /'),
    '',
  ].join('\n');

test('as many layers as are read again are made, with steps that make none, and all of them are hits', async (t) => {
  const box = createSandbox();
  t.after(() => box.close());
  box.write({ Dockerfile: dockerfile(most, 3), f: 'x' });
  const args = [`--layer-cache-dir=${box.cache}`, '--push-image'];
  const built = await box.build(args);
  assert.equal(built.code, 0, built.output);
  const again = await box.build(args, { command: 'probe' });
  assert.equal(again.code, 0, again.output);
});

for (const [what, lines] of Object.entries({
  'in one stage': dockerfile(most + 1),
  'in a stage upon a stage': `${dockerfile(most)}FROM all\nCOPY f /one-more\n`,
  'upon a stage that is full, behind a step that changes nothing': `${dockerfile(most, 1)}FROM all\nCOPY f /one-more\n`,
}))
  test(`one layer more is an error at its step: ${what}`, async (t) => {
    const box = createSandbox();
    t.after(() => box.close());
    box.write({ Dockerfile: lines, f: 'x' });
    const built = await box.build([`--layer-cache-dir=${box.cache}`]);
    assert.equal(built.code, EXIT_CODES.BUILD_FAILED.exit, built.output);
    assert.match(built.output, new RegExp(`has ${most + 1} layers; it may have ${most}`));
    const line = lines.trimEnd().split('\n').length;
    assert.match(built.output, new RegExp(`Dockerfile:${line}\\b`));
  });
