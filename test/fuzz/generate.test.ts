import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../src/core/error.ts';
import { parseDockerfile } from '../../src/dockerfile/parse/parse.ts';
import { generate } from './generate.ts';
import { dropFileLine, shrink } from './lines.ts';

test('the same seed gives the same build, and another seed another', () => {
  for (let seed = 1; seed <= 50; seed++) {
    assert.deepEqual(generate(seed), generate(seed));
    assert.notDeepEqual(generate(seed), generate(seed + 1));
  }
});

test('a Dockerfile that is made up is parsed, or refused with an error that says where', () => {
  let parsed = 0;
  for (let seed = 1; seed <= 400; seed++) {
    try {
      parseDockerfile(`${generate(seed).lines.join('\n')}\n`, 'Dockerfile');
      parsed++;
    } catch (error) {
      assert.ok(error instanceof AppError, `seed ${seed}: ${error}`);
      assert.ok(error.where, `seed ${seed}: ${error.message}`);
    }
  }
  assert.ok(parsed > 40, `only ${parsed} of 400 can be parsed`);
});

test('a line of the file names its instruction, which is left out unless it begins a stage', () => {
  const lines = ['FROM scratch AS one', 'COPY <<EOF /a\nbody\nEOF', 'USER 1'];
  assert.deepEqual(dropFileLine(lines, 3), [lines[0], lines[2]]);
  assert.deepEqual(dropFileLine(lines, 5), [lines[0], lines[1]]);
  assert.equal(dropFileLine(lines, 1), undefined);
  assert.equal(dropFileLine(lines, 6), undefined);
});

test('shrinking leaves the stages and what the difference needs', async () => {
  const lines = ['FROM scratch AS one', 'USER 1', 'USER 2', 'ENV A=b', 'USER 3'];
  const shrunk = await shrink(lines, async (left) => left.includes('USER 2') && left.includes('USER 3'));
  assert.deepEqual(shrunk, ['FROM scratch AS one', 'USER 2', 'USER 3']);
});
