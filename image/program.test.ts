import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { tempDir } from '../src/core/testing.ts';
import { codeFile, loadProgram, PROGRAM_FOOT, PROGRAM_HEAD, PROGRAM_URL, packCode } from './program.ts';

const SCRIPT = `${PROGRAM_HEAD}
function sum(){return require('node:path').basename(${PROGRAM_URL}).length+1}
exports.sum=sum();
exports.strict=(function(){return this===undefined})();
${PROGRAM_FOOT}`;
const NAME = 'program-X.cjs';

test('a script runs, whatever lies where its compiled code would be', (t) => {
  const dir = tempDir(t);
  const script = join(dir, NAME);
  const code = codeFile(script);
  let text = SCRIPT;
  let runs = 100_000;
  // V8 takes what it has compiled before from its memory, but not of another text.
  const load = (shown?: string): ReturnType<typeof loadProgram> => {
    runs += 1;
    writeFileSync(script, `${text}// ${runs}`);
    return loadProgram(dir, NAME, shown);
  };
  const run = (): boolean => {
    const program = load();
    assert.deepEqual(program.run(), { sum: NAME.length + 1, strict: true });
    return program.cached;
  };
  assert.equal(run(), false);

  const made = load('elsewhere');
  made.run();
  const whole = packCode(made.script.createCachedData());
  writeFileSync(code, whole);
  assert.equal(run(), true);

  for (let at = 0; at < whole.length; at += 7) {
    // What is between checksum and code says nothing.
    if (at >= 4 && at < 8) continue;
    const flipped = Buffer.from(whole);
    flipped[at] = flipped[at]! ^ 0x41;
    writeFileSync(code, flipped);
    assert.equal(run(), false, `byte ${at}`);
  }
  for (const length of [0, 1, 7, 8, 9, whole.length - 1]) {
    writeFileSync(code, whole.subarray(0, length));
    assert.equal(run(), false, `${length} bytes`);
  }
  writeFileSync(code, packCode(Buffer.from('no code')));
  assert.equal(run(), false, 'no code');

  setFlagsFromString('--no-flush-bytecode');
  const other = load();
  other.run();
  const foreign = packCode(other.script.createCachedData());
  setFlagsFromString('--flush-bytecode');
  writeFileSync(code, foreign);
  assert.equal(run(), false, 'made by Node with other flags');

  text = SCRIPT.replace('+1}', '+1 }');
  writeFileSync(code, whole);
  assert.equal(run(), false, 'made of another script');

  rmSync(code);
  mkdirSync(code);
  assert.equal(run(), false, 'a directory');
});

test('stacks show where a script lies, and not where it was compiled', (t) => {
  const dir = tempDir(t);
  const script = join(dir, NAME);
  writeFileSync(script, `${PROGRAM_HEAD}throw new Error('on purpose')${PROGRAM_FOOT}`);
  const failure = (shown?: string): string => {
    const program = loadProgram(dir, NAME, shown);
    try {
      program.run();
    } catch (error) {
      writeFileSync(codeFile(script), packCode(program.script.createCachedData()));
      return (error as Error).stack ?? '';
    }
    return 'nothing was thrown';
  };
  assert.match(failure('elsewhere'), /elsewhere/);
  assert.ok(readFileSync(codeFile(script)).length > 0);
  const stack = failure();
  assert.ok(stack.includes(`${script}:1:`) || stack.includes(pathToFileURL(script).href), stack);
  assert.doesNotMatch(stack, /elsewhere/);
});
