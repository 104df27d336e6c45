/*
 * `npm run bench`: all figures of docs/benchmarks.md, beside other programs that do the same work. Ratios count; absolute
 * times mean little on a machine that is shared. Takes an hour and 50 GB of disk at full scale.
 *   --scale 0.1      a tenth of the files and bytes
 *   --only NAMES     some works: demo, steps, stages, files, huge, with commas between them
 *   --rounds 3       measures nothing more often than that
 *   --quick          small works and two rounds, in less than three minutes: whether a change made something slow
 *   --add            keeps what earlier runs have found of the other works, in bench-out/results.json
 *   --write          writes docs/benchmarks.md and docs/benchmarks.svg
 *   --render         runs nothing, and writes them from the results that are there
 * ENVBUILDER_BENCH_KANIKO and ENVBUILDER_BENCH_ENVBUILDER name programs of others that are measured too (bench/method.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { svg } from './lib/chart.ts';
import { figuresOf } from './lib/figures.ts';
import { root } from './lib/measure.ts';
import { markdown, shown } from './lib/report.ts';
import { type Measurements, mergeResults, type Results, resultsOf } from './lib/results.ts';
import { runWorks } from './lib/run-works.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    add: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});
const defaults = values.quick
  ? { scale: '0.02', rounds: '2', only: 'steps,stages,files' }
  : { scale: '1', rounds: '5', only: undefined };
const out = join(root, 'bench-out');
const file = join(out, 'results.json');
mkdirSync(out, { recursive: true });
if (!values.render) await measureAll();
const results = stored();
const figures = figuresOf(results.rows, results.startCpu);
for (const { what, against, goal, reached, unit } of figures)
  process.stdout.write(
    `${`${what}${against && ` / ${against}`}`.padEnd(70)} ${shown(reached)}${unit}, goal ${goal}${unit}\n`,
  );
if (values.write || values.render) {
  const text = (name: string): string => readFileSync(join(root, 'bench', name), 'utf8');
  const texts = { method: text('method.md'), notes: text('notes.md') };
  writeFileSync(join(root, 'docs/benchmarks.md'), markdown(results, figures, texts));
  writeFileSync(join(root, 'docs/benchmarks.svg'), svg(figures));
}

function stored(): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}

async function measureAll(): Promise<void> {
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
  }).trim();
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  const earlier = values.add ? stored() : undefined;
  const keep = (measured: Measurements): void => {
    const own = resultsOf(measured, { command, date, commit });
    writeFileSync(file, JSON.stringify(earlier ? mergeResults(earlier, own) : own));
  };
  const { scale = defaults.scale, rounds = defaults.rounds, only = defaults.only } = values;
  const sizes = {
    scale: Number(scale),
    rounds: Number(rounds),
    herds: !values.quick,
    only: only?.split(','),
  };
  await runWorks({ ...sizes, out, env: process.env, keep });
}
