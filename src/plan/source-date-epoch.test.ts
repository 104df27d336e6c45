import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSourceDateEpoch } from './source-date-epoch.ts';

const check = (value: string) => () => checkSourceDateEpoch(new Map([['SOURCE_DATE_EPOCH', value]]));

test('SOURCE_DATE_EPOCH is a number of seconds with a date, or nothing', () => {
  for (const value of ['', '0', '1704067200', '-5', '+5', '253402300799'])
    assert.doesNotThrow(check(value), value);
  assert.doesNotThrow(() => checkSourceDateEpoch(new Map()));
});

test('anything else is refused, as Docker 28 does', () => {
  for (const value of ['abc', '1.5', '0x10', ' 5', '5s', '253402300800', '99999999999999999', '-62167219201'])
    assert.throws(check(value), { code: 'USAGE', message: new RegExp(`"${value}"`) });
});
