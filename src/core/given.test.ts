import assert from 'node:assert/strict';
import test from 'node:test';
import { given, pick } from './given.ts';

interface Request {
  readonly root: string;
  readonly target?: string;
  readonly depth?: number;
}

test('fields without a value are left out, others are kept as they are', () => {
  assert.deepEqual(given<Partial<Request>>({ target: undefined, depth: 0 }), { depth: 0 });
  assert.deepEqual(given<Partial<Request>>({ target: '' }), { target: '' });
});

test('a misspelt field does not compile, nor does one of another type', () => {
  // @ts-expect-error there is no such field
  given<Partial<Request>>({ traget: 'a' });
  // @ts-expect-error it is a number
  given<Partial<Request>>({ depth: '1' });
});

test('picks only what is there', () => {
  const request: Request = { root: '/', depth: 1 };
  assert.deepEqual(pick(request, ['target', 'depth']), { depth: 1 });
  // @ts-expect-error there is no such field
  pick(request, ['traget']);
});
