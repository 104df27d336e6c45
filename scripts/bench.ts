/*
 * `npm run bench`: all figures of docs/benchmarks.md in one run, beside other programs that do the same work. Ratios count;
 * absolute times mean little on a machine that is shared. Takes half an hour and 40 GB of disk at full scale.
 *   --scale 0.1      a tenth of the files and bytes
 *   --only NAME      one work: demo, files, huge, steps, stages
 *   --write          writes docs/benchmarks.md and docs/benchmarks.svg
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { figuresOf } from '../bench/lib/figures.ts';
import { root } from '../bench/lib/measure.ts';
import { machine, openPeers } from '../bench/lib/peers.ts';
import { markdown, shown, svg } from '../bench/lib/report.ts';
import { type Row, runSeries } from '../bench/lib/series.ts';
import { makeDemoWork, makeWorks } from '../bench/lib/works.ts';
import { pushBaseImages } from './lib/base-images.ts';
import { createCleanUp } from './lib/cleanup.ts';
import { startCountingProxy } from './lib/counting-proxy.ts';
import { ensurePackages } from './lib/debian.ts';
import { startRegistry } from './lib/registry-server.ts';
import { seconds, step } from './lib/shell.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const scale = Number(values.scale);
const failures: string[] = [];
const failed = (what: string): void => {
  failures.push(what);
  process.stderr.write(`${what}\n`);
};
const cleanUp = createCleanUp();
mkdirSync(join(root, 'bench-out'), { recursive: true });
const dir = mkdtempSync(join(root, 'bench-out', 'run-'));
// Deleted only at the end: ext4 is slow at making files soon after many were deleted.
cleanUp.add(async () => rmSync(dir, { recursive: true, force: true }));

try {
  await ensurePackages(['zstd', 'skopeo', 'tar']);
  const { registry, stop } = await startRegistry(dir);
  cleanUp.add(stop);
  await step('Filling the registry with base images', () => pushBaseImages(registry.host));
  const proxy = await startCountingProxy({ target: registry.host });
  cleanUp.add(proxy.stop);
  const { peers, reasons } = await openPeers(dir, cleanUp);
  const options = { dir: join(dir, 'works'), base: `${proxy.host}/busybox:1`, scale };
  const all = [
    ...(await step('Making the works', async () => makeWorks(options))),
    makeDemoWork(join(dir, 'demo'), `${proxy.host}/debian:bookworm`),
  ];
  const works = all.filter(({ name }) => values.only === undefined || values.only === name);
  const rows: Row[] = [];
  for (const work of works) {
    process.stderr.write(`\n== ${work.name}: ${work.about}\n`);
    rows.push(...(await runSeries(work, { peers, proxy, storage: registry.storage, dir, say, failed })));
  }
  const figures = figuresOf(rows);
  for (const { what, against, goal, reached, unit } of figures)
    process.stdout.write(
      `${`${what} / ${against}`.padEnd(60)} ${shown(reached)}${unit}, goal ${goal}${unit}\n`,
    );
  if (values.write) {
    const facts = {
      date: new Date().toISOString().slice(0, 10),
      machine: machine(),
      versions: versions(peers),
      command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
      works,
      missing: [...reasons, ...failures],
      notes: readFileSync(join(root, 'bench/notes.md'), 'utf8'),
    };
    writeFileSync(join(root, 'docs/benchmarks.md'), markdown(facts, figures, rows));
    writeFileSync(join(root, 'docs/benchmarks.svg'), svg(figures));
  }
} finally {
  await cleanUp.run();
}

function say({ what, ours, peers }: Row): void {
  const others = Object.entries(peers).map(
    ([name, ms]) => `${name} ${seconds(ms)} (ratio ${shown(ours.ms / ms)})`,
  );
  const top = Object.entries(ours.phases)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 6)
    .map(([phase, ms]) => `${phase} ${Math.round(ms)}`);
  process.stderr.write(
    `${what}: ${seconds(ours.ms)}, ${Math.round(ours.peakMiB)} MiB, ${ours.requests} requests; ${others.join(', ')}\n    ${top.join(', ')}\n`,
  );
}

function versions(peers: readonly { readonly name: string; readonly version: string }[]): string[] {
  const first = (command: string): string =>
    existsSync(`/usr/bin/${command}`)
      ? (execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '').trim()
      : command;
  return [
    `Node ${process.versions.node}`,
    ...peers.map(({ name, version }) => `${name} ${version}`),
    first('tar'),
    first('zstd').replace(/[*]/g, '').trim(),
    first('find'),
  ];
}
