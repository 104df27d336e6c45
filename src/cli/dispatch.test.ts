import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT_CODES } from '../core/error.ts';

/** Runs `envbuilder build .` with another module in the place of the command's. */
function runWith(source: string) {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => url.endsWith('/cli/commands/build.ts')
      ? { format: 'module', shortCircuit: true, source: ${JSON.stringify(source)} } : next(url, context) });`;
  const main = join(import.meta.dirname, 'main.ts');
  return spawnSync(
    process.execPath,
    ['--no-warnings', `--import=data:text/javascript,${encodeURIComponent(hook)}`, main, 'build', '.'],
    { encoding: 'utf8' },
  );
}

test('a command that waits for nothing and has no answer is a defect, never a success', () => {
  const { status, stdout, stderr } = runWith('export const buildCommand = () => new Promise(() => {});');
  assert.equal(status, EXIT_CODES.INTERNAL.exit, stderr);
  assert.match(stderr, /ran out of work before it was done/);
  assert.doesNotMatch(stderr, /top-level await/);
  assert.equal(stdout, '');
});

test('a command that has its answer ends as it says', () => {
  assert.equal(runWith('export const buildCommand = async () => {};').status, 0);
  const last = 'export const buildCommand = async () => async () => {};';
  assert.equal(runWith(last).status, 0);
});
