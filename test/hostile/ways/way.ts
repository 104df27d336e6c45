import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURE, type HostileImage, imageOf, json, layerOf, publish } from '../images.ts';
import { writeCacheDir } from '../layouts.ts';
import type { Plot } from '../plot.ts';
import type { RecordBaseline } from '../records.ts';
import { dir, file, tarOf } from '../tar-bytes.ts';
import type { Kind, Must } from '../types.ts';

/** A run that an input was carried into, and what may come of it. */
export interface Attempt {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: readonly string[];
  /** Exit codes of a refusal; none where only a miss is allowed. */
  readonly refusals: readonly number[];
  /** A file of the root file system that is there when the run ends well. */
  readonly result?: string;
  /** What is put on standard output when it ends well. */
  readonly prints?: RegExp;
  /** Instead of what the kind says, where this way reads the input in another manner. */
  readonly must?: Must;
  /** What `build` means is a hit, and not a miss. */
  readonly hits?: boolean;
  /** Docker is given the same: the Dockerfile in the context. */
  readonly docker?: boolean;
  /** Where the files are that the run has made, if not in the plot's root file system. */
  readonly rootfs?: string;
  /** A refusal is answered by the fallback image, with a file of which the run ends well. */
  readonly fallback?: string;
  /** What a run has changed that it had to leave alone, besides the canary; one line each. */
  readonly changes?: () => readonly string[];
}

/** A way by which an input of some form comes into a run. */
export interface WayIn<Input> {
  readonly name: string;
  /** The run counts as a miss or a hit. */
  readonly cached?: boolean;
  /** Whether an input can come in by it at all; every one can when left out. */
  readonly takes?: (kind: Kind<Input>) => boolean;
  /** Ways of a form with the same one differ in what is around an input, not in what reads it. */
  readonly reader?: string;
  /** It is a start in a container, which needs the runtime image. */
  readonly start?: boolean;
  /** What must come of an input by this way, where that is not what its kind says. */
  readonly must?: (kind: Kind<Input>) => Must;
  /** The exit code of an input that Docker takes and this way cannot, as docs/differences.md says. */
  readonly differs?: (kind: Kind<Input>) => number | undefined;
  readonly carry: (input: Input, plot: Plot, fixtures: Fixtures) => Attempt;
}

/** What the ways share, made once. */
export interface Fixtures {
  readonly baseline: RecordBaseline;
  /** An image with BusyBox, by its reference. */
  readonly busybox: string;
  /** Serves repositories below a directory. */
  readonly gitServer: { readonly root: string; readonly origin: string };
  /** The runtime image, unpacked; only in a session with starts. */
  readonly runtimeImage?: string;
}

/** CORRUPT, and what is not CORRUPT for one reason or another: a reference or a registry's answer. */
export const IMAGE_REFUSALS = [6, 7, 9];

/** A build of the context that writes its root file system. */
export function build(plot: Plot, ...more: readonly string[]): readonly string[] {
  return ['build', '--progress=plain', `--output=type=rootfs,dest=${plot.rootfs}`, ...more, plot.context];
}

/** A build on top of a base image. */
export function buildOn(plot: Plot, reference: string, after: readonly string[] = []): Attempt {
  plot.write({
    'context/Dockerfile': `FROM ${reference}\nCOPY a /probe-a\n${after.map((line) => `${line}\n`).join('')}`,
    'context/a': 'hi\n',
  });
  return { args: build(plot), refusals: IMAGE_REFUSALS, result: 'probe-a' };
}

/** The build that the baseline made records for, with a cache of these images by tag. */
export function cachedBuild(
  plot: Plot,
  put: 'repo' | 'dir',
  images: ReadonlyMap<string, HostileImage>,
): Attempt {
  plot.write({ 'context/Dockerfile': 'FROM scratch\nCOPY a /probe-a\n', 'context/a': 'hi\n' });
  if (put === 'repo') {
    for (const [tag, image] of images) publish(plot.repository, image, tag);
    return { args: build(plot, `--cache-repo=${plot.repository.reference}`), refusals: [] };
  }
  const cache = join(plot.dir, 'cache');
  writeCacheDir(cache, images);
  return { args: build(plot, `--layer-cache-dir=${cache}`), refusals: [] };
}

/** An image of nothing but BusyBox. */
export function busyboxImage(): HostileImage {
  const layer = layerOf(
    tarOf([
      dir('bin'),
      dir('tmp', { mode: 0o1777 }),
      dir('etc'),
      file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
      file('bin/busybox', readFileSync('/bin/busybox'), { mode: 0o755 }),
      ...['sh', 'touch', 'cp', 'chmod', 'cat', 'mkdir', 'rm', 'id', 'env', 'ls'].map((name) => ({
        name: `bin/${name}`,
        type: '2',
        link: 'busybox',
      })),
    ]),
    'gzip',
  );
  return imageOf(
    [layer],
    json({
      architecture: ARCHITECTURE,
      os: 'linux',
      config: { Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    }),
  );
}
