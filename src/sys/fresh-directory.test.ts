import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { makeFreshDirectory } from './fresh-directory.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-fresh-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const QUICK = 0.02;
const SLOW = 0.4;

/** Makes files that seem to take what `times` says of the directory that they are in, the first, the second and so on. */
function trialOf(times: readonly number[]): {
  readonly trial: (file: string) => number;
  readonly seen: string[];
} {
  const seen: string[] = [];
  const trial = (file: string): number => {
    const directory = dirname(file);
    if (!seen.includes(directory)) seen.push(directory);
    closeSync(openSync(file, 'wx'));
    return times[seen.indexOf(directory)] ?? SLOW;
  };
  return { trial, seen };
}

describe('makeFreshDirectory', () => {
  for (const [name, times, tried, chosen] of [
    ['takes the first name where files are made quickly', [QUICK], 1, 0],
    ['tries other names until one is quick', [SLOW, SLOW, QUICK, QUICK], 3, 2],
    ['takes the best where none is', [SLOW, 0.3, 0.2, 0.25, SLOW, 0.3], 6, 2],
  ] as const) {
    it(name, () => {
      const parent = mkdtempSync(join(scratch, 'p-'));
      const { trial, seen } = trialOf(times);
      const made = makeFreshDirectory(parent, 't', { trial });
      assert.equal(seen.length, tried);
      assert.equal(made, seen[chosen]);
      assert.deepEqual(
        readdirSync(parent).map((one) => join(parent, one)),
        [made],
      );
      assert.deepEqual(readdirSync(made), []);
      assert.equal(statSync(made).mode & 0o7777, 0o700);
    });
  }

  it('counts the quickest of several files, since others use the processors too', () => {
    const seen = new Set<string>();
    let count = 0;
    const trial = (file: string): number => {
      closeSync(openSync(file, 'wx'));
      seen.add(dirname(file));
      count += 1;
      return count === 2 ? QUICK : SLOW;
    };
    makeFreshDirectory(mkdtempSync(join(scratch, 'p-')), 't', { trial });
    assert.equal(seen.size, 1);
  });

  it('measures by itself when nothing else is said', () => {
    const parent = mkdtempSync(join(scratch, 'p-'));
    const made = [makeFreshDirectory(parent, 't'), makeFreshDirectory(parent, 't')];
    assert.deepEqual(
      readdirSync(parent)
        .map((one) => join(parent, one))
        .sort(),
      [...made].sort(),
    );
  });
});
