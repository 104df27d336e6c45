/*
 * What one more step, stage, file or record costs: the table and the chart of docs/cost-curves.md. Run by hand:
 *   node bench/curves.ts [--only steps,files] [--most 1000] [--write]
 * Each size is built for the first time, taken from the cache, and probed, with a registry on the same machine. --most leaves
 * out sizes beyond it; --write writes the page and the chart.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pushBaseImages } from '../scripts/lib/base-images.ts';
import { createCleanUp } from '../scripts/lib/cleanup.ts';
import { startRegistry } from '../scripts/lib/registry-server.ts';
import { step } from '../scripts/lib/shell.ts';
import { curveChart } from './lib/curve-chart.ts';
import { curvePage } from './lib/curve-page.ts';
import { CURVES, type Point } from './lib/curves.ts';
import { load, machine } from './lib/machine.ts';
import { envbuilder, type OurRun, root } from './lib/measure.ts';
import { difference, readCounts } from './lib/registry-counts.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    most: { type: 'string', default: '1000000' },
    write: { type: 'boolean', default: false },
  },
});
const only = values.only?.split(',') ?? Object.keys(CURVES);
const cleanUp = createCleanUp();
const points: Point[] = [];
const loads = [load()];
try {
  mkdirSync(join(root, 'bench-out'), { recursive: true });
  const dir = mkdtempSync(join(root, 'bench-out/curves-'));
  cleanUp.add(() => rmSync(dir, { recursive: true, force: true }));
  const { registry, stop } = await startRegistry(dir, undefined, { metrics: true });
  cleanUp.add(stop);
  await step('Filling the registry with base images', () => pushBaseImages(registry.host));
  for (const name of only) {
    const curve = CURVES[name];
    if (!curve) throw new Error(`there is no curve ${name}, only ${Object.keys(CURVES).join(', ')}`);
    for (const size of curve.sizes.filter((one) => one <= Number(values.most))) {
      const context = join(dir, `${name}-${size}`);
      const repository = `curves/${name}-${size}`;
      curve.write({ context, size, base: `${registry.host}/busybox:1` });
      const cache = [context, `--cache-repo=${registry.host}/${repository}`, `--state-dir=${context}-state`];
      const measured = async (what: Point['what'], run: () => Promise<OurRun>): Promise<void> => {
        const before = await readCounts(registry.metrics!);
        const { ms, cpuMs, peakMiB } = await run();
        const { requests } = difference(before, await readCounts(registry.metrics!));
        const point: Point = { curve: name, size, what, ms, cpuMs, peakMiB, requests };
        points.push(point);
        loads.push(load());
        process.stderr.write(`${JSON.stringify(point)}\n`);
      };
      await measured('uncached', () => envbuilder(['build', ...cache, '--push-image']));
      curve.fill?.({ storage: registry.storage, repository, size });
      await measured('cached', () => envbuilder(['build', ...cache, `--output=${context}-out`]));
      await measured('probe', () => envbuilder(['probe', ...cache]));
    }
  }
} finally {
  await cleanUp.run();
}
const page = curvePage(points, {
  command: ['node bench/curves.ts', ...process.argv.slice(2)].join(' '),
  commit: execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  load: [Math.min(...loads), Math.max(...loads)],
});
if (values.write) {
  writeFileSync(join(root, 'docs/cost-curves.md'), page);
  writeFileSync(join(root, 'docs/cost-curves.svg'), curveChart(points));
} else process.stdout.write(page);
