/*
 * `npm run bench`: all figures of docs/benchmarks.md in one run, beside other programs that do the same work. Ratios count;
 * absolute times mean little on a machine that is shared. Takes an hour and 50 GB of disk at full scale.
 *   --scale 0.1      a tenth of the files and bytes
 *   --only NAMES     some works: demo, steps, stages, files, huge, with commas between them
 *   --write          writes docs/benchmarks.md and docs/benchmarks.svg
 *   --render         runs nothing, and writes them from the results of the last run, bench-out/results.json
 * ENVBUILDER_BENCH_KANIKO and ENVBUILDER_BENCH_ENVBUILDER name programs of others that are measured too (bench/method.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { svg } from '../bench/lib/chart.ts';
import type { Figure } from '../bench/lib/figures.ts';
import { root } from '../bench/lib/measure.ts';
import { markdown, type ReportFacts, shown } from '../bench/lib/report.ts';
import type { Row } from '../bench/lib/rows.ts';
import { runWorks } from '../bench/lib/run-works.ts';

interface Results {
  readonly facts: Omit<ReportFacts, 'method' | 'notes'>;
  readonly figures: readonly Figure[];
  readonly rows: readonly Row[];
}

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});
const out = join(root, 'bench-out');
const file = join(out, 'results.json');
mkdirSync(out, { recursive: true });
if (values.render) write(JSON.parse(readFileSync(file, 'utf8')) as Results);
else {
  const results = await measureAll();
  writeFileSync(file, JSON.stringify(results));
  for (const { what, against, goal, reached, unit } of results.figures)
    process.stdout.write(
      `${`${what}${against && ` / ${against}`}`.padEnd(70)} ${shown(reached)}${unit}, goal ${goal}${unit}\n`,
    );
  if (values.write) write(results);
}

async function measureAll(): Promise<Results> {
  const commit = execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  const { figures, rows, ...facts } = await runWorks({
    out,
    scale: Number(values.scale),
    only: values.only?.split(','),
    env: process.env,
  });
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  return { facts: { ...facts, date, commit: commit.trim(), command }, figures, rows };
}

function write({ facts, figures, rows }: Results): void {
  const text = (name: string): string => readFileSync(join(root, 'bench', name), 'utf8');
  const all = { ...facts, method: text('method.md'), notes: text('notes.md') };
  writeFileSync(join(root, 'docs/benchmarks.md'), markdown(all, figures, rows));
  writeFileSync(join(root, 'docs/benchmarks.svg'), svg(figures));
}
