import {
  closeSync,
  globSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeArch } from '../../image/modules.ts';
import { createSyscalls } from '../../src/sys/syscalls.ts';
import { cached, temporaryDir, testCacheDir } from './cache-dir.ts';
import { withLocalDebian } from './debian-image.ts';
import { fetchPackage } from './npm-package.ts';
import { run, step } from './shell.ts';

/** The runtime image of this checkout, ready for `docker load`. */
export interface RuntimeImage {
  readonly tar: string;
  /** The name under which it is loaded. */
  readonly reference: string;
}

const root = join(import.meta.dirname, '../..');
/** Archives of earlier checkouts that are kept. */
const KEPT = 6;
/** What the layer cache of these builds may hold; builds of different checkouts share all layers but the last ones. */
const LAYER_CACHE = '400MB';
/** No build takes this long, so what it left unfinished is nobody's. */
const STALE_MS = 2 * 3600_000;
const NAME = 'runtime-image.tar';
const REFERENCE = 'envbuilder-runtime:test';

/**
 * The runtime image of this checkout as it is, built when nobody has built it yet; after a change of `src` alone, only the
 * layer with our own code is made anew.
 * @param registry one that `pushBaseImages` has filled; without it, one is started for the time of the build
 */
export async function runtimeImage(registry?: { readonly host: string }): Promise<RuntimeImage> {
  const layers = join(testCacheDir(), 'runtime-image-layers');
  const use = (build: (debian: string) => Promise<string>) => build(`${registry?.host}/debian:bookworm`);
  const recipe = recipeOf(['src/**/*.{ts,js}', 'image/**', 'package.json', 'package-lock.json']);
  const tar = await alone(() =>
    cached(NAME, recipe, async (path) => {
      await step('Building the runtime image', () =>
        (registry ? use : withLocalDebian)((debian) =>
          buildRuntimeImage([
            `--build-arg=DEBIAN=${debian}`,
            `--layer-cache-dir=${layers}`,
            `--state-dir=${join(testCacheDir(), 'runtime-image-state')}`,
            `--work-dir=${join(testCacheDir(), 'runtime-image-work')}`,
            `--tag=${REFERENCE}`,
            `--output=type=docker,dest=${path}`,
          ]),
        ),
      );
      const limits = [`--max-size=${LAYER_CACHE}`, '--grace=30m'];
      await run(join(root, 'envbuilder'), ['registry', 'gc', `--dir=${layers}`, ...limits]);
    }),
  );
  utimesSync(tar, new Date(), new Date());
  removeOld();
  return { tar, reference: REFERENCE };
}

/** Runs `envbuilder build` of image/Dockerfile with further arguments, and gives what it printed: the image's digest. */
export async function buildRuntimeImage(args: readonly string[]): Promise<string> {
  const file = join(root, 'image/Dockerfile');
  const out = await run(join(root, 'envbuilder'), ['build', `--dockerfile-path=${file}`, ...args, root]);
  return out.trim();
}

/** Does the work while no other process does it; whoever waited finds it done. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  const fd = openSync(join(testCacheDir(), 'runtime-image.lock'), 'w');
  try {
    const { tryLock } = createSyscalls();
    while (!tryLock(fd)) await sleep(200);
    return await work();
  } finally {
    closeSync(fd);
  }
}

function recipeOf(patterns: readonly string[]): unknown {
  const files = globSync(patterns, { cwd: root }).filter((name) => !/\.test\.ts$|testdata\//.test(name));
  const kept = files.sort().filter((name) => statSync(join(root, name)).isFile());
  return kept.map((name) => [name, readFileSync(join(root, name), 'utf8')]);
}

function removeOld(): void {
  const all = readdirSync(testCacheDir())
    .filter((name) => name.startsWith(`${NAME}-`))
    .map((name) => join(testCacheDir(), name))
    .flatMap((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat ? [{ path, usedAt: stat.mtimeMs }] : [];
    });
  const isPartial = ({ path }: { readonly path: string }): boolean => path.endsWith('.partial');
  const whole = all.filter((file) => !isPartial(file)).sort((a, b) => b.usedAt - a.usedAt);
  const stale = all.filter((file) => isPartial(file) && file.usedAt < Date.now() - STALE_MS);
  for (const { path } of [...whole.slice(KEPT), ...stale]) rmSync(path, { force: true });
}

/**
 * Calls `work` with the arguments that a build of the image for a platform needs: none for our own, else the context with
 * the npm packages of that architecture, which are fetched and removed again.
 * @param platform `linux/arch`; our own when left out
 */
export async function withModules<T>(
  platform: string | undefined,
  work: (args: readonly string[]) => Promise<T>,
): Promise<T> {
  const arch = platform === undefined ? process.arch : nodeArch(platform.replace(/^linux\//, ''));
  if (arch === process.arch) return work([]);
  const dir = temporaryDir('modules');
  try {
    for (const name of [`node-linux-${arch}`, `@koromix/koffi-linux-${arch}`])
      await fetchPackage(root, name, dir);
    return await work([`--build-context=modules=${dir}`]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
