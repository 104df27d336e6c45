import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Environment } from '../core/environment.ts';
import { parseOptions } from './options/parse.ts';
import { environmentRedactor, reporterFor } from './run-context.ts';

const STEP = { stage: 0, step: 0 };

/** How a run with a step that says something looks. */
async function shown(args: readonly string[], env: Environment, isTTY: boolean): Promise<string> {
  let text = '';
  const stderr = { write: (part: string) => (text += part), isTTY, columns: 80, rows: 24 };
  const context = {
    env,
    cwd: '/',
    signal: new AbortController().signal,
    stdout: { write: () => {} },
    stderr,
    redactor: environmentRedactor(env),
  };
  const reporter = await reporterFor(parseOptions('build', [...args, '.'], env), context);
  reporter.emit({ type: 'step-started', id: STEP });
  reporter.emit({ type: 'step-output', id: STEP, stream: 'stdout', text: 'hello\n' });
  reporter.emit({ type: 'step-finished', id: STEP, outcome: 'built', ms: 5, key: 'sha256:1' });
  reporter.close();
  return text;
}

const LINES = /^#1 \d+\.\d\d hello\n#1 DONE 0\.0s$/m;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins every control sequence
const ESC = /\u001b/;
const COLOR = new RegExp(`${ESC.source}\\[3\\dm`);
const LIVE = /✔.* \[0 1\/1\] step 1/;

const CASES: readonly (readonly [string, readonly string[], Environment, boolean, RegExp, RegExp])[] = [
  ['a terminal', [], { TERM: 'xterm' }, true, LIVE, LINES],
  ['a terminal has colours', [], { TERM: 'xterm' }, true, COLOR, LINES],
  ['NO_COLOR', [], { TERM: 'xterm', NO_COLOR: '1' }, true, LIVE, COLOR],
  ['a terminal that cannot move its cursor', [], { TERM: 'dumb' }, true, LINES, ESC],
  ['no terminal', [], { TERM: 'xterm' }, false, LINES, ESC],
  ['lines on a terminal', ['--progress=plain'], { TERM: 'xterm' }, true, LINES, LIVE],
  ['GitHub', [], { GITHUB_ACTIONS: 'true' }, false, /^::group::#1 output\n#1 .* hello\n::endgroup::$/m, ESC],
  ['GitLab', [], { GITLAB_CI: 'true' }, false, /^.\[0Ksection_start:\d+:step_1_1\[/m, /::group/],
  ['lines of GitHub', ['--progress=plain'], { GITHUB_ACTIONS: 'true' }, false, LINES, /::group/],
  ['a terminal of GitHub', [], { GITHUB_ACTIONS: 'true' }, true, LIVE, /::group/],
];

for (const [what, args, env, isTTY, has, lacks] of CASES) {
  test(`how a run looks: ${what}`, async () => {
    const text = await shown(args, env, isTTY);
    assert.match(text, has);
    assert.doesNotMatch(text, lacks);
  });
}

test('what draws on a terminal is loaded for a terminal alone', () => {
  const reporter = pathToFileURL(join(import.meta.dirname, '../report/reporter.ts')).href;
  const loaded = (isTTY: boolean): string => {
    const program = `
      import { registerHooks } from 'node:module';
      const seen = new Set();
      registerHooks({ resolve: (name, context, next) => (seen.add(name), next(name, context)) });
      const { createReporter } = await import('${reporter}');
      const err = { write: () => {}, isTTY: ${isTTY} };
      const redactor = { text: (text) => text };
      await createReporter({ mode: 'auto', err, verbose: false, color: false, redactor });
      console.log(['log-update', 'string-width'].filter((name) => seen.has(name)).join());`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  };
  assert.equal(loaded(false), '\n');
  assert.equal(loaded(true), 'log-update,string-width\n');
});
