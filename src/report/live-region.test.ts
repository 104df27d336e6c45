import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLiveRegion } from './live-region.ts';

const ERASES = '\u001b[2K';

test('what somebody else writes to the terminal stands below all that stays, and is not taken away', () => {
  let written = '';
  const region = createLiveRegion(
    { write: (text: string) => (written += text), isTTY: true, columns: 80, rows: 24 },
    () => {},
  );
  region.draw(['first picture', 'of two lines']);
  region.persist(['what stays']);
  region.beside(() => (written += 'sha256:0\n'));
  region.draw(['second picture']);
  const [before = '', after = ''] = written.split('sha256:0\n');
  assert.match(before, /first picture\nof two lines\n/);
  assert.ok(before.lastIndexOf(ERASES) > before.indexOf('of two lines'));
  assert.ok(before.endsWith('what stays\n'), JSON.stringify(before));
  assert.match(after, /second picture\n/);
  assert.ok(!after.includes(ERASES), JSON.stringify(after));
  region.close();
});
