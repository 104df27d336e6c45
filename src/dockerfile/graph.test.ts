import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findStage, reachableStages, resolveBase, resolveFrom, resolveTarget } from './graph.ts';
import { parseDockerfile } from './parse/parse.ts';

const FILE = parseDockerfile(
  `FROM alpine AS Build
RUN x
FROM build AS tools
FROM scratch
COPY --from=BUILD /x /x
COPY --from=busybox /y /y
FROM debian AS unused
FROM 2 AS last
RUN --mount=from=tools,target=/t x
COPY --from=2 /x /
`,
  'Dockerfile',
);

const images = FILE.stages.map(({ from }) => from.image);

test('findStage knows names in any case and numbers', () => {
  assert.equal(findStage(FILE, 'TOOLS'), 1);
  assert.equal(findStage(FILE, '2'), 2);
  assert.equal(findStage(FILE, '9'), undefined);
  assert.equal(findStage(FILE, 'alpine'), undefined);
  assert.equal(findStage(FILE, 'last', 4), undefined);
  assert.equal(findStage(FILE, '3', 3), undefined);
});

test('of stages that share a name the last one before the reader counts', () => {
  const twice = parseDockerfile('FROM a AS x\nFROM b AS x\nFROM x\nFROM c AS x\n', 'D');
  assert.equal(findStage(twice, 'x'), 3);
  assert.equal(findStage(twice, 'x', 2), 1);
  assert.deepEqual(resolveBase(twice, 2, 'x'), { type: 'stage', stage: 1 });
});

test('resolveTarget takes the last stage, a name or a number', () => {
  assert.equal(resolveTarget(FILE), 4);
  assert.equal(resolveTarget(FILE, ''), 4);
  assert.equal(resolveTarget(FILE, 'build'), 0);
  assert.equal(resolveTarget(FILE, '2'), 2);
});

test('an unknown target lists the stages', () => {
  assert.throws(() => resolveTarget(FILE, 'tolos'), {
    code: 'DOCKERFILE',
    message: 'Dockerfile has no stage tolos',
    hint: 'did you mean tools? (the stages are build, tools, unused, last)',
  });
  const nameless = parseDockerfile('FROM scratch', 'D');
  assert.throws(() => resolveTarget(nameless, '1'), { hint: 'no stage has a name' });
});

test('FROM names earlier stages, scratch or images', () => {
  assert.deepEqual(resolveBase(FILE, 1, 'build'), { type: 'stage', stage: 0 });
  assert.deepEqual(resolveBase(FILE, 1, 'Build'), { type: 'image', image: 'Build' });
  assert.deepEqual(resolveBase(FILE, 0, 'tools'), { type: 'image', image: 'tools' });
  assert.deepEqual(resolveBase(FILE, 0, 'build'), { type: 'image', image: 'build' });
  assert.deepEqual(resolveBase(FILE, 2, 'scratch'), { type: 'scratch' });
  assert.deepEqual(resolveBase(FILE, 4, '2'), { type: 'image', image: '2' });
});

test('--from names earlier stages or images; itself, later ones and unknown numbers are errors', () => {
  const from = (stage: number, name: string) => resolveFrom(FILE, stage, name, {});
  assert.deepEqual(from(2, 'Build'), { type: 'stage', stage: 0 });
  assert.deepEqual(from(2, '1'), { type: 'stage', stage: 1 });
  assert.deepEqual(from(2, 'busybox:1'), { type: 'image', image: 'busybox:1' });
  assert.deepEqual(from(2, 'scratch'), { type: 'scratch' });
  assert.throws(() => from(0, 'build'), {
    code: 'DOCKERFILE',
    message: 'stage build takes files from itself',
  });
  assert.throws(() => from(2, '2'), { message: 'stage 2 takes files from itself' });
  assert.throws(() => from(0, 'tools'), {
    message: 'stage tools comes after stage build, which takes files from it',
  });
  assert.throws(() => from(2, '4'), { message: 'stage 4 comes after stage 2, which takes files from it' });
  assert.throws(() => from(2, '17'), {
    message: 'there is no stage 17',
    hint: 'stages are numbered from 0 to 4',
  });
});

test('reachableStages follows FROM, COPY --from and mounts', () => {
  assert.deepEqual(reachableStages(FILE, 0, images), [0]);
  assert.deepEqual(reachableStages(FILE, 1, images), [0, 1]);
  assert.deepEqual(reachableStages(FILE, 2, images), [0, 2]);
  assert.deepEqual(reachableStages(FILE, 4, images), [0, 1, 2, 4]);
});

test('reachableStages uses expanded images and points at the instruction that is wrong', () => {
  const file = parseDockerfile('ARG B=a\nFROM scratch AS a\nFROM $B\nRUN x\nCOPY --from=1 x y\n', 'D');
  assert.deepEqual(resolveBase(file, 1, 'a'), { type: 'stage', stage: 0 });
  assert.throws(
    () => reachableStages(file, 1, ['scratch', 'a']),
    (error: { where?: { sourceLine?: string } }) => {
      return error.where?.sourceLine === 'COPY --from=1 x y';
    },
  );
});
