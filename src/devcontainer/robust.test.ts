import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../core/error.ts';
import { PROPERTIES } from './properties.ts';
import { definitionOf, type TestWorkspace } from './testing.ts';

/** Whatever people write, the answer is a definition or an error that names what is wrong; never a defect. */

const text = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.constantFrom(
    '${localEnv:A}',
    '${containerEnv:PATH}',
    '${',
    '${}',
    '$A',
    '../x',
    '/x',
    '',
    'base',
    'u:g',
    '${A:-b}',
  ),
);
const key = fc.oneof(
  text,
  fc.constantFrom(
    'dockerfile',
    'context',
    'args',
    'target',
    'options',
    '__proto__',
    'constructor',
    'gpu',
    'cpus',
  ),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
}));

async function survives(workspace: TestWorkspace): Promise<void> {
  try {
    await definitionOf(workspace);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'INTERNAL') throw error;
  }
}

// Features of any name would be looked for in registries.
const names = PROPERTIES.map(({ name }) => name).filter((name) => name !== 'features');
const images = { base: { Env: ['PATH=/bin'] } };

test('any devcontainer.json', async () => {
  const config = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(config, fc.boolean(), async (content, inContainer) => {
      const files = { '.devcontainer.json': { image: 'base', ...content } };
      await survives({ files, images, request: { inContainer } });
    }),
    { numRuns: 150 },
  );
});

test('any label of an image', async () => {
  const entry = fc.dictionary(fc.constantFrom(...names, 'features', 'id', 'entrypoint'), value, {
    maxKeys: 4,
  });
  const label = fc.oneof(
    fc.string(),
    value.map((any) => JSON.stringify(any)),
    fc.array(entry, { maxLength: 3 }).map((any) => JSON.stringify(any)),
  );
  await fc.assert(
    fc.asyncProperty(label, async (metadata) => {
      const base = { Labels: { 'devcontainer.metadata': metadata } };
      // Nothing that stands in a label ends a start.
      await definitionOf({ files: { '.devcontainer.json': { image: 'base' } }, images: { base } }).catch(
        (error) => {
          assert.match(error.message, /names no variable$/);
        },
      );
    }),
    { numRuns: 150 },
  );
});

test('any Compose service', async () => {
  const keys = fc.constantFrom(
    'image',
    'build',
    'environment',
    'env_file',
    'user',
    'volumes',
    'platform',
    'extends',
    'command',
    'ports',
    'labels',
  );
  const buildKeys = fc.constantFrom(
    'context',
    'dockerfile',
    'dockerfile_inline',
    'args',
    'target',
    'labels',
    'additional_contexts',
  );
  const service = fc.dictionary(keys, fc.oneof(value, fc.dictionary(buildKeys, value, { maxKeys: 3 })), {
    maxKeys: 4,
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(service, value), fc.oneof(service, value), async (one, other) => {
      await survives({
        files: {
          '.devcontainer.json': { dockerComposeFile: ['a.yml', 'b.yml'], service: 'app' },
          'a.yml': { services: { app: one } },
          'b.yml': { services: { app: other }, include: one },
        },
        images,
        request: { inContainer: true },
      });
    }),
    { numRuns: 150 },
  );
});
