import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleFault } from './cron.ts';

test('schedules are taken and refused as the API takes and refuses them', () => {
  const good = [
    '15 3 * * *',
    '*/5 * * * *',
    '0-30/10,45 1,2 1-31/2 JAN-Mar,dec sun-SAT',
    '? ? ? ? ?',
    '5/15 * * * *',
    '*-7 * * * *',
    '0  0\t1 1 0',
    '1,,2 * * * *',
    '+5 * * * *',
    '59 23 31 12 6',
    '@yearly',
    '@annually',
    '@monthly',
    '@weekly',
    '@daily',
    '@midnight',
    '@hourly',
    '@every 1h30m',
  ];
  for (const text of good) assert.equal(scheduleFault(text), undefined, text);
  const bad: readonly [string, RegExp][] = [
    ['', /0 fields/],
    ['* * * *', /4 fields/],
    ['* * * * * *', /6 fields/],
    ['60 * * * *', /minute.*above 59/],
    ['* 24 * * *', /hour.*above 23/],
    ['* * 0 * *', /day of the month.*below 1/],
    ['* * 32 * *', /above 31/],
    ['* * * 13 *', /month.*above 12/],
    ['* * * * 7', /day of the week.*above 6/],
    ['* * * * funday', /no number/],
    ['* * * january *', /no number/],
    ['mon * * * *', /minute.*no number/],
    ['30-10 * * * *', /ends before it begins/],
    ['*/0 * * * *', /step is 0/],
    ['*/x * * * *', /step is no number/],
    ['*/5/5 * * * *', /two steps/],
    ['1-2-3 * * * *', /two hyphens/],
    ['-1 * * * *', /no number/],
    ['1.5 * * * *', /no number/],
    ['L * * * *', /no number/],
    ['@daly', /there are @yearly/],
    ['@Daily', /there are @yearly/],
    ['@every', /there are/],
    ['@every day', /no time/],
    ['daily', /1 fields/],
    ['TZ=UTC 0 0 * * *', /time zone/],
    ['CRON_TZ=UTC 0 0 * * *', /time zone/],
  ];
  for (const [text, pattern] of bad) assert.match(scheduleFault(text) ?? '', pattern, text);
});
