import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLicenseExpression } from './license.ts';

test('what is on the list of SPDX may stand in a document, and nothing else', () => {
  for (const text of [
    'MIT',
    'GPL-2.0+',
    'MIT OR (Apache-2.0 AND BSD-3-Clause)',
    'GPL-2.0-or-later WITH Classpath-exception-2.0',
  ])
    assert.equal(isLicenseExpression(text), true, text);
  for (const text of [
    '',
    ' ',
    'BSD',
    'GPLv2+',
    'mit',
    'MIT AND',
    '(MIT',
    'LicenseRef-mine',
    'DocumentRef-a:LicenseRef-b',
    'constructor',
    '('.repeat(1e6),
    `MIT${' OR MIT'.repeat(1e5)}`,
  ])
    assert.equal(isLicenseExpression(text), false, text.slice(0, 40));
});
