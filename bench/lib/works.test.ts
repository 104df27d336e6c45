import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WORKS, withoutHeredocs } from './works.ts';

test('a heredoc becomes one line of commands, each only after the one before it', () => {
  assert.equal(
    withoutHeredocs('FROM a\nRUN <<EOF\nset -e\napt-get install \\\n  b c\nrm d\nEOF\nRUN e\n'),
    'FROM a\nRUN set -e && apt-get install b c && rm d\nRUN e\n',
  );
});

test('a change of a word changes the first or the last step, and nothing else', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bench-works-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [name, make] of Object.entries(WORKS)) {
    const work = make({ dir, registry: '127.0.0.1:1', scale: 0.001 });
    const changed = (early: string, late: string): string => {
      work.write({ early, late });
      const extra = name === 'demo' ? readFileSync(join(work.context, 'early.txt'), 'utf8') : '';
      return `${extra}${readFileSync(join(work.context, 'Dockerfile'), 'utf8')}`;
    };
    const before = changed('one', 'one').split('\n');
    for (const [words, at] of [
      [['two', 'one'], 'first'],
      [['one', 'two'], 'last'],
    ] as const) {
      const after = changed(words[0], words[1]).split('\n');
      const different = before.flatMap((line, i) => (line === after[i] ? [] : [line]));
      assert.equal(different.length, 1, `${name}: ${different}`);
      const isRun = (line: string): boolean => line.startsWith('RUN ');
      if (name === 'demo' && at === 'first') assert.equal(different[0], before[0]);
      else if (at === 'first') assert.equal(different[0], before.find(isRun), name);
      else assert.equal(different[0], before.findLast(isRun), name);
    }
    assert.ok(before.some((line) => line.includes('127.0.0.1:1/')));
  }
});

test('the commands of the demo are all of its RUNs', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'bench-works-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const work = WORKS.demo!({ dir, registry: '127.0.0.1:1', scale: 1 });
  work.write({ early: 'one', late: 'one' });
  const runs = readFileSync(join(work.context, 'Dockerfile'), 'utf8').match(/^RUN /gm)!;
  const alone = work.alone!.filter(({ run }) => run !== undefined);
  assert.equal(alone.length, runs.length);
  assert.match(alone[0]!.run!, /apt-get install .* build-essential/);
});
