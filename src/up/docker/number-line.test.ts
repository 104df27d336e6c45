import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNumberLine } from './number-line.ts';

const ROWS: Readonly<Record<string, readonly [number: string | undefined, output: string]>> = {
  '17\nsaid\nmore': ['17', 'said\nmore'],
  '17\n': ['17', ''],
  '17\n18\n': ['17', '18\n'],
  '17': [undefined, '17'],
  '17 apples\n': [undefined, '17 apples\n'],
  'OCI runtime exec failed\n': [undefined, 'OCI runtime exec failed\n'],
  '\n17\n': [undefined, '\n17\n'],
  '': [undefined, ''],
};

for (const [text, expected] of Object.entries(ROWS))
  test(`the number is not for the reader, wherever the output is cut: ${JSON.stringify(text)}`, () => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      let output = '';
      const line = createNumberLine((chunk) => (output += chunk.toString()));
      for (const part of [text.slice(0, cut), text.slice(cut)]) line.take(Buffer.from(part));
      line.end();
      assert.deepEqual([line.known(), output], expected, String(cut));
    }
  });
