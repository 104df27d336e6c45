import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSignal } from './stop-signal.ts';

const TAKEN =
  'SIGTERM term sigterm 1 64 65 -3 +9 RTMIN SIGRTMIN+15 rtmax SIGRTMAX-14 SIGPOLL IOT 9223372036854775807';
const REFUSED =
  'SIGFOO 0 +0 SIGSIGTERM SIG 1.5 0x9 SIGRTMAX-15 SIGRTMIN+16 SIGRTMIN-1 RTMAX+1 TERM,KILL 9223372036854775808';

for (const [texts, taken] of [
  [TAKEN, true],
  [REFUSED, false],
] as const) {
  for (const text of texts.split(' '))
    test(`${text} is ${taken ? 'a' : 'no'} signal, as under Docker 28`, () =>
      assert.equal(isSignal(text), taken));
}

test('what a stop signal has around it counts', () => {
  for (const text of ['', ' SIGTERM', 'SIGTERM SIGKILL', 'SIGTERM\n'])
    assert.equal(isSignal(text), false, text);
});
