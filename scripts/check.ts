/* `npm run check`: format, lint, types, dead code, import direction, paths of foreign trees, docstrings, waits in tests, generated docs, links, promises. `--fix` writes what can be written. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { undocumentedExports } from './lib/check-docstrings.ts';
import { importProblems } from './lib/check-imports.ts';
import { brokenLinks } from './lib/check-links.ts';
import { pathProblems } from './lib/check-paths.ts';
import { brokenPromises } from './lib/check-promises.ts';
import { timedWaits } from './lib/check-waits.ts';
import { stalePages } from './lib/reference-pages.ts';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const fix = process.argv.includes('--fix');

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
}

function run(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let output = '';
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.on('error', (error) => resolve({ name, ok: false, output: error.message }));
  child.on('close', (code) => resolve({ name, ok: code === 0, output }));
  return promise;
}

async function imports(): Promise<Outcome> {
  const problems = importProblems(root);
  return { name: 'import direction', ok: problems.length === 0, output: problems.join('\n') };
}

async function paths(): Promise<Outcome> {
  const problems = pathProblems(root);
  return { name: 'paths of foreign trees', ok: problems.length === 0, output: problems.join('\n') };
}

async function docstrings(): Promise<Outcome> {
  const missing = undocumentedExports(root);
  return { name: 'docstrings', ok: missing.length === 0, output: missing.join('\n') };
}

async function waits(): Promise<Outcome> {
  const timed = timedWaits(root);
  return { name: 'waits in tests', ok: timed.length === 0, output: timed.join('\n') };
}

async function docs(): Promise<Outcome> {
  const stale = stalePages(root).map((path) => `${path} is stale; npm run docs writes it anew`);
  return { name: 'docs in step', ok: stale.length === 0, output: stale.join('\n') };
}

async function links(): Promise<Outcome> {
  const pages = globSync(['*.md', '{docs,bench,examples}/**/*.md'], { cwd: root });
  const broken = brokenLinks(root, pages);
  return { name: 'links', ok: broken.length === 0, output: broken.join('\n') };
}

async function promises(): Promise<Outcome> {
  const broken = brokenPromises(root, 'docs/security.md');
  return { name: 'promises name their tests', ok: broken.length === 0, output: broken.join('\n') };
}

const outcomes = await Promise.all([
  run('format and lint', bin('biome'), ['check', ...(fix ? ['--write'] : []), '--error-on-warnings', '.']),
  run('types', bin('tsc'), ['-p', '.']),
  run('dead code', process.execPath, [bin('knip'), '--no-progress']),
  imports(),
  paths(),
  docstrings(),
  waits(),
  docs(),
  links(),
  promises(),
]);
for (const { name, ok, output } of outcomes) {
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}\n`);
  if (!ok) process.stdout.write(`${output}\n`);
}
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;
