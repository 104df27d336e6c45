/*
 * `npm run bench`: ratios against other programs doing the same work in the same run; absolute times mean little on a
 * machine that is shared. Uses what `npm run demo` left in demo-out/, and runs it first where that is missing.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushBaseImages } from './lib/base-images.ts';
import { createCleanUp } from './lib/cleanup.ts';
import { startRegistry } from './lib/registry-server.ts';

const RUNS = 3;
const STEPS = 30;
const root = join(import.meta.dirname, '..');
const cli = join(root, 'envbuilder');
const demo = join(root, 'demo-out');
const cleanUp = createCleanUp();
const scratch = mkdtempSync(join(demoDirectory(), 'bench-'));
cleanUp.add(async () => rmSync(scratch, { recursive: true, force: true }));

try {
  const storage = join(demo, 'registry-storage');
  const { registry, stop } = await startRegistry(scratch, existsSync(storage) ? storage : undefined);
  cleanUp.add(stop);
  const base = existsSync(storage) ? `${registry.host}/debian:bookworm` : 'debian:bookworm-slim';
  benchCachedBuild([
    join(demo, 'context'),
    `--build-arg=BASE=${base}`,
    `--layer-cache-dir=${join(demo, 'layer-cache')}`,
  ]);
  await benchProbe(registry.host);
  benchStart();
} finally {
  await cleanUp.run();
}

function demoDirectory(): string {
  if (!existsSync(join(demo, 'layer-cache')))
    execFileSync('npm', ['run', 'demo'], { cwd: root, stdio: 'inherit' });
  return demo;
}

/** A fully cached build into a directory, against `zstd -dc | tar x` (or gzip) of the same layers one after the other. */
function benchCachedBuild(args: readonly string[]): void {
  const layers = layersOfDemo(args);
  const ours: number[] = [];
  const tar: number[] = [];
  for (let i = 0; i < RUNS; i += 1) {
    const plain = join(scratch, `tar-${i}`);
    mkdirSync(plain);
    tar.push(
      time(() => {
        for (const { file, program } of layers)
          execFileSync('/bin/sh', [
            '-c',
            `${program} -dc '${file}' | tar -x --numeric-owner -p -C '${plain}'`,
          ]);
      }),
    );
    const out = join(scratch, `ours-${i}`);
    ours.push(time(() => rebuild(['build', ...args, `--output=${out}`])));
  }
  report('cached build / (zstd|gzip) -dc | tar x', ours, tar);
}

/** The layers of the image that the demo built, as files of the cache directory. */
function layersOfDemo(args: readonly string[]): { readonly file: string; readonly program: string }[] {
  const layout = join(scratch, 'layout');
  rebuild(['build', ...args, `--output=type=oci,dest=${layout}`]);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0].digest), 'utf8'));
  return manifest.layers.map(({ digest, mediaType }: { digest: string; mediaType: string }) => ({
    file: blob(digest),
    program: mediaType.endsWith('zstd') ? 'zstd' : 'gzip',
  }));
}

/** A probe of 30 cached steps on a registry of this machine, against `skopeo inspect` of the image that it finds. */
async function benchProbe(host: string): Promise<void> {
  await pushBaseImages(host);
  const context = join(scratch, 'context');
  mkdirSync(context);
  const steps = Array.from({ length: STEPS }, (_, i) => `RUN echo ${i} > /step-${i}`);
  writeFileSync(join(context, 'Dockerfile'), [`FROM ${host}/busybox:1`, ...steps, ''].join('\n'));
  const args = [context, `--cache-repo=${host}/bench/cache-${process.pid}`];
  rebuild(['build', ...args, '--push-image']);
  const probe: number[] = [];
  const skopeo: number[] = [];
  for (let i = 0; i < RUNS; i += 1) {
    let said = '';
    probe.push(
      time(() => {
        said = rebuild(['probe', ...args]);
      }),
    );
    const image = /ENVBUILDER_CACHED_IMAGE=(\S+)/.exec(said)?.[1] ?? '';
    skopeo.push(time(() => execFileSync('skopeo', ['inspect', '--tls-verify=false', `docker://${image}`])));
  }
  report(`probe of ${STEPS} cached steps / skopeo inspect of the image`, probe, skopeo);
}

/** The start of the command line, against Node doing nothing. */
function benchStart(): void {
  const ours: number[] = [];
  const node: number[] = [];
  for (let i = 0; i < RUNS * 2; i += 1) {
    ours.push(time(() => execFileSync(cli, ['--version'])));
    node.push(time(() => execFileSync(process.execPath, ['-e', '0'])));
  }
  report('envbuilder --version / node -e 0', ours, node);
}

function rebuild(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(cli, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`envbuilder ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return stdout;
}

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function report(what: string, ours: readonly number[], theirs: readonly number[]): void {
  const [a, b] = [median(ours), median(theirs)];
  const times = `${Math.round(a)} ms / ${Math.round(b)} ms, medians of ${ours.length}`;
  process.stdout.write(`${what}: ${(a / b).toFixed(2)}   (${times})\n`);
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? Number.NaN;
}
