import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../core/error.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import { orStage } from './or-stage.ts';

const { stages } = parseDockerfile('FROM a AS builder\nFROM b\nFROM c AS test\n', 'Dockerfile');
const refused = (code: 'REFERENCE' | 'AUTH' | 'REGISTRY') => async (): Promise<never> => {
  throw new AppError(code, 'there is no such image', { hint: 'check the name', where: { path: '/x' } });
};

test('a misspelt stage is suggested where there is no such image', async () => {
  for (const code of ['REFERENCE', 'AUTH'] as const)
    await assert.rejects(orStage('bulder', stages, refused(code)), {
      code,
      message: 'there is no such image',
      hint: 'did you mean the stage builder?',
      where: { path: '/x' },
    });
  await assert.rejects(orStage('debian', stages, refused('REFERENCE')), { hint: 'check the name' });
  // The registry is down: the name may be right.
  await assert.rejects(orStage('bulder', stages, refused('REGISTRY')), { hint: 'check the name' });
  assert.equal(await orStage('bulder', stages, async () => 1), 1);
});
