/*
 * `npm run bench`: all figures of docs/benchmarks.md, beside other programs that do the same work. Ratios count; absolute
 * times mean little on a machine that is shared. Takes an hour and 50 GB of disk at full scale.
 *   --scale 0.1      a tenth of the files and bytes
 *   --only NAMES     some works: demo, steps, stages, files, huge, with commas between them
 *   --add            keeps what earlier runs have found of the other works, in bench-out/results.json
 *   --write          writes docs/benchmarks.md and docs/benchmarks.svg
 *   --render         runs nothing, and writes them from the results that are there
 * ENVBUILDER_BENCH_KANIKO and ENVBUILDER_BENCH_ENVBUILDER name programs of others that are measured too (bench/method.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { svg } from '../bench/lib/chart.ts';
import { figuresOf } from '../bench/lib/figures.ts';
import { root } from '../bench/lib/measure.ts';
import { markdown, shown } from '../bench/lib/report.ts';
import { mergeResults, type Results, resultsOf } from '../bench/lib/results.ts';
import { runWorks } from '../bench/lib/run-works.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    add: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});
const out = join(root, 'bench-out');
const file = join(out, 'results.json');
mkdirSync(out, { recursive: true });
const results = values.render ? stored() : await measured();
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

async function measured(): Promise<Results> {
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], {
    encoding: 'utf8',
  }).trim();
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  const only = values.only?.split(',');
  const found = await runWorks({ out, scale: Number(values.scale), only, env: process.env });
  const own = resultsOf(found, { command, date, commit });
  const all = values.add ? mergeResults(stored(), own) : own;
  writeFileSync(file, JSON.stringify(all));
  return all;
}
