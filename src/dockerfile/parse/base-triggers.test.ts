import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OnbuildInstruction } from '../types.ts';
import { parseOnbuildTrigger } from './base-triggers.ts';
import { parseDockerfile } from './parse.ts';

const origin = { file: 'Dockerfile', start: { line: 1, column: 1 }, end: { line: 1, column: 12 } };

test('a trigger is parsed with every range at its origin', () => {
  const node = parseOnbuildTrigger('RUN --mount=target=/x cat <<EOF\nbody\nEOF', origin);
  assert.ok(node.kind === 'run');
  assert.deepEqual(node.range, origin);
  assert.deepEqual(node.mounts[0]?.range, origin);
  assert.deepEqual(node.heredocs[0]?.range, origin);
  assert.equal(node.heredocs[0]?.content, 'body\n');
});

test('what ONBUILD writes parses to the instruction itself', () => {
  const inner = 'COPY --chmod=1 <<-"A" <<B /x/\n\ta $x\nA\nb\nB\n';
  const file = parseDockerfile(`FROM scratch\n${inner}ONBUILD ${inner}`, 'Dockerfile');
  const [direct, onbuild] = file.stages[0]!.instructions;
  const again = parseOnbuildTrigger((onbuild as OnbuildInstruction).trigger, origin);
  const plain = (value: unknown) =>
    JSON.stringify(value, (key, item) => (key === 'range' ? undefined : item));
  assert.equal(plain(again), plain(direct));
});

test('a trigger that is no instruction of a stage is refused, with the trigger in the message', () => {
  for (const trigger of ['', 'RUN a\nRUN b', 'FROM x', 'RUM x', 'COPY x']) {
    assert.throws(
      () => parseOnbuildTrigger(trigger, origin),
      (error: { code?: string; message: string; where?: object }) => {
        assert.equal(error.code, 'DOCKERFILE');
        assert.ok(error.message.includes(`"${trigger}"`), error.message);
        assert.deepEqual(error.where, { range: origin });
        return true;
      },
    );
  }
});
