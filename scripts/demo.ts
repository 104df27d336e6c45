/*
 * `npm run demo`: builds demo/Dockerfile three ways on a machine that has nothing but Node, npm and root on Debian: for
 * the first time, again from the layer cache, and as a probe that only asks. Prints the times side by side and says where
 * the built root file system lies. Everything is below demo-out/ of this checkout.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withDebian } from './lib/debian-image.ts';
import { writeDemoContext } from './lib/demo-context.ts';
import { seconds } from './lib/shell.ts';

const root = join(import.meta.dirname, '..');
const out = join(root, 'demo-out');
const context = join(out, 'context');
const cache = join(out, 'layer-cache');

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const files = writeDemoContext(context, join(root, 'demo/Dockerfile'));
await withDebian('debian:bookworm-slim', async (base) => {
  const common = [context, `--build-arg=BASE=${base}`, `--layer-cache-dir=${cache}`];
  const build = (name: string): string[] => [
    'build',
    ...common,
    '--push-image',
    `--output=${join(out, name)}`,
  ];
  say(`1. The first build: nothing is cached (${files} files, three stages, one large apt-get install)`);
  const uncached = await envbuilder(build('first'));
  say('2. The same build again: every layer comes from the cache');
  const cached = await envbuilder(build('again'));
  say('3. The probe: is all of it there? Nothing is downloaded, run or written');
  const probe = await envbuilder(['probe', ...common, '--push-image']);
  printSummary({ uncached, cached, probe });
});

/** Runs the command line of this checkout with its output shown, and gives the time that it took in milliseconds. */
function envbuilder(args: readonly string[]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const start = performance.now();
  const child = spawn(join(root, 'envbuilder'), args, { stdio: ['ignore', 'inherit', 'inherit'] });
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve(performance.now() - start);
    else reject(new Error(`envbuilder ${args[0]} ended with ${code}`));
  });
  return promise;
}

function printSummary(times: {
  readonly uncached: number;
  readonly cached: number;
  readonly probe: number;
}): void {
  const row = (name: string, ms: number): string => {
    const ratio = ms === times.uncached ? '' : `${(times.uncached / ms).toFixed(0)} times faster`;
    return `  ${name.padEnd(16)}${seconds(ms).padStart(12)}   ${ratio}`.trimEnd();
  };
  const rootfs = join(out, 'again');
  process.stdout.write(
    `\n${[
      row('first build', times.uncached),
      row('cached build', times.cached),
      row('probe', times.probe),
      '',
      `The root file system of the cached build lies in ${rootfs}`,
      'Enter it with:',
      `  chroot --userspec=dev ${rootfs} /bin/bash --login -c 'cd /srv/app && cat /etc/motd && exec bash'`,
      `The layer cache is ${cache}; any registry that reads CNCF Distribution's layout can serve it.`,
    ].join('\n')}\n`,
  );
}

function say(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}
