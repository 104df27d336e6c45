import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTooDeep, withinStack } from './nesting.ts';

const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner, _, at) => (at % 2 ? [inner] : { a: inner }), 1);

test('what is deeper than the stack has an answer, and other errors stay', () => {
  const endless = (): number => 1 + endless();
  assert.equal(
    withinStack(endless, () => -1),
    -1,
  );
  assert.equal(
    withinStack(
      () => 5,
      () => -1,
    ),
    5,
  );
  const other = new RangeError('Invalid array length');
  assert.throws(
    () =>
      withinStack(
        () => {
          throw other;
        },
        () => -1,
      ),
    other,
  );
});

test('depth is told without recursion, also in circles', () => {
  assert.equal(isTooDeep(null), false);
  assert.equal(isTooDeep(nested(500)), false);
  assert.equal(isTooDeep(nested(502)), true);
  assert.equal(isTooDeep(nested(200_000)), true);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.equal(isTooDeep(circle), true);
});
