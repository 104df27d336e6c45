import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldedLog } from './sections.ts';
import type { CiService } from './types.ts';

function log(service: CiService) {
  let time = 0;
  const lines: string[] = [];
  const sections = foldedLog(
    service,
    (line) => lines.push(line),
    () => time,
  );
  const at = (ms: number) => {
    time = ms;
    return sections;
  };
  return { lines, at };
}

test('sections lie behind each other, and each step writes in its own', () => {
  const { lines, at } = log('github');
  at(0).line('#1 RUN a');
  at(0).output(1, ['#1 one']);
  at(100).output(2, ['#2 one']);
  at(200).output(1, ['#1 two']);
  at(300).end(1, ['#1 DONE']);
  at(400).output(2, ['#2 two']);
  at(500).end(2, ['#2 DONE']);
  assert.deepEqual(lines, [
    '#1 RUN a',
    '::group::#1 output',
    '#1 one',
    '#1 two',
    '::endgroup::',
    '#1 DONE',
    '::group::#2 output',
    '#2 one',
    '#2 two',
    '::endgroup::',
    '#2 DONE',
  ]);
});

test('a step gives way to another one after its turn, when it pauses, and when it says too much at once', () => {
  const turns = (between: (at: ReturnType<typeof log>['at']) => void): readonly string[] => {
    const { lines, at } = log('github');
    at(0).output(1, ['one']);
    at(0).output(2, ['two']);
    between(at);
    at(20_000).close();
    return lines.filter((line) => line.startsWith('::group'));
  };
  const inTurn = ['::group::#1 output', '::group::#2 output'];
  assert.deepEqual(
    turns(() => {}),
    inTurn,
  );
  assert.deepEqual(
    turns((at) => {
      at(3000).output(2, ['two']);
      at(3001).output(1, ['one']);
    }),
    [...inTurn, '::group::#1 output, continued'],
  );
  assert.deepEqual(
    turns((at) => {
      for (let ms = 0; ms < 15_000; ms += 1000) at(ms).output(1, ['one']);
      at(15_000).output(2, ['two']);
      at(15_000).output(1, ['one']);
    }),
    [...inTurn, '::group::#1 output, continued'],
  );
  assert.deepEqual(
    turns((at) => {
      at(1).output(2, Array(500).fill('two'));
      at(2).output(1, ['one']);
    }),
    [...inTurn, '::group::#1 output, continued'],
  );
});

test('what a step says is no command to the service', () => {
  const { lines, at } = log('github');
  at(0).output(1, ['::add-path::/evil', '#1 1.00 ##[add-path]/evil']);
  at(0).line('  ::error::not ours\n::stop-commands::x');
  at(0).close();
  assert.deepEqual(lines, [
    '::group::#1 output',
    ': :add-path::/evil',
    '#1 1.00 ## [add-path]/evil',
    '::endgroup::',
    '  : :error::not ours',
    ': :stop-commands::x',
  ]);
});

test('GitLab gets marks with times and names of their own', () => {
  const { lines, at } = log('gitlab');
  at(1000).output(7, ['a']);
  at(2500).line('b');
  at(3000).output(7, ['c']);
  at(3000).end(7, []);
  const mark = (text: string): string => `\u001b[0Ksection_${text}`;
  const folded = '[collapsed=true]\r\u001b[0K';
  assert.deepEqual(lines, [
    `${mark('start:1:step_7_1')}${folded}#7 output`,
    'a',
    mark('end:2:step_7_1\r\u001b[0K'),
    'b',
    `${mark('start:3:step_7_2')}${folded}#7 output, continued`,
    'c',
    mark('end:3:step_7_2\r\u001b[0K'),
  ]);
});
