import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLineBuffer } from './line-buffer.ts';

describe('a line buffer', () => {
  const lines = (chunks: readonly string[]): string[] => {
    const buffer = createLineBuffer(() => 0);
    return [...chunks.flatMap((chunk) => [...buffer.push(chunk)]), ...buffer.end()];
  };

  it('gives the same lines however the text is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', 'é') });
    fc.assert(
      fc.property(fc.array(text), (chunks) => assert.deepEqual(lines(chunks), lines([chunks.join('')]))),
    );
  });

  it('keeps the last state of a line that overwrites itself', () => {
    assert.deepEqual(lines(['1%\r', '99%\r', '100%\r\nnext\r\n']), ['100%', 'next']);
    const buffer = createLineBuffer(() => 0);
    buffer.push('1%\r50%\r7');
    assert.equal(buffer.overwritten(), '50%');
  });

  it('cuts an endless line, but keeps back what may be the start of a secret', () => {
    const buffer = createLineBuffer(() => 10);
    const [cut = ''] = buffer.push('x'.repeat(70_000));
    assert.equal(cut.length, 69_990);
    assert.deepEqual(buffer.end(), ['x'.repeat(10)]);
  });
});
