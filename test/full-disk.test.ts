import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { encode } from './hostile/encode.ts';
import { configOf, imageOf, json, layerOf, publish } from './hostile/images.ts';
import { createField, type Field, type Plot } from './hostile/plot.ts';
import { baselineOf, recordsWith } from './hostile/records.ts';
import { type HostileRegistry, startHostileRegistry } from './hostile/registry.ts';
import { type RunResult, runHostile } from './hostile/run.ts';
import { file, tarOf } from './hostile/tar-bytes.ts';
import { featureArchive, featureBuild } from './hostile/ways/tars.ts';
import { build, busyboxImage, cachedBuild, type Fixtures } from './hostile/ways/way.ts';
import { commandLine } from './support/envbuilder.ts';

/*
 * What takes a few kilobytes and becomes more than a small disk holds: wherever it comes from and whatever it fills, it ends
 * as a full disk, with what to do, and nothing half-written is left.
 */

/** The disk, and what is written to it: dense files, of which each fits. */
const DISK = '16m';
const FILES = Array.from({ length: 16 }, (_, at) => file(`bomb${at}`, Buffer.alloc(2 << 20, 'x')));
const BOMB = tarOf(FILES);
const LARGE = Buffer.alloc(32 << 20, 'y');

let registry: HostileRegistry;
let field: Field;
let fixtures: Fixtures;
let cacheRepository = '';
const compiled = temporaryDir('full-disk-node');
before(async () => {
  await ensurePackages(['xz-utils', 'busybox-static']);
  registry = await startHostileRegistry();
  field = createField(registry, compiled, [commandLine]);
  const busybox = registry.repository('base/busybox');
  publish(busybox, busyboxImage());
  const plot = field.plot();
  plot.write({ 'context/Dockerfile': 'FROM scratch\nCOPY a /probe-a\n', 'context/a': 'hi\n' });
  const honest = await run(plot, build(plot, `--cache-repo=${plot.repository.reference}`));
  assert.equal(honest.code, 0, honest.stderr);
  fixtures = {
    baseline: baselineOf(plot.repository),
    busybox: `${busybox.reference}:1`,
    gitServer: { root: '', origin: '' },
  };
  plot.remove();
  const large = field.plot();
  large.write({ 'context/large': LARGE });
  dockerfile(large, 'FROM scratch', 'COPY large /');
  cacheRepository = registry.repository('full/cache').reference;
  const stored = await run(large, build(large, `--cache-repo=${cacheRepository}`));
  assert.equal(stored.code, 0, stored.stderr);
  large.remove();
});
after(async () => {
  field?.close();
  rmSync(compiled, { recursive: true, force: true });
  await registry?.stop();
});

/** A run; with a disk, everything below it is small, and what is left there is listed in `LEFT` beside it. */
function run(plot: Plot, args: readonly string[], disk?: string): Promise<RunResult> {
  const script =
    'mount -t tmpfs -o size=$1,mode=755 small "$0" && shift && "$@"; code=$?; find "$0" -mindepth 1 -printf "%P\\n" >"$0.left"; exit $code';
  const under =
    disk === undefined
      ? []
      : ['unshare', '--mount', '--propagation=private', '/bin/sh', '-c', script, disk, DISK];
  return runHostile({ args, cwd: plot.dir, env: plot.env, program: [...under, ...plot.program] });
}

/** Which of a run's directories is the small disk. */
type Disk = 'work' | 'state' | 'local' | 'oci' | 'docker';

const WORK: readonly Disk[] = ['work'];

/** Where the bytes come from. */
interface Source {
  /** The arguments of a build; its output is replaced for a disk of outputs. */
  readonly args: (plot: Plot) => readonly string[];
  /** What it fills; the work directory when left out. */
  readonly fills?: readonly Disk[];
  /** A command of the image that gets the error of the kernel fails by itself. */
  readonly fails?: boolean;
  /** What the error says, where it shows that an earlier attempt has left room. */
  readonly says?: RegExp;
}

const dockerfile = (plot: Plot, ...lines: readonly string[]): readonly string[] => {
  plot.write({ 'context/Dockerfile': `${lines.join('\n')}\n` });
  return build(plot);
};

/** An image of BusyBox and the bomb. */
function publishBomb(plot: Plot, encoding: 'gzip' | 'zstd' | 'plain' | 'ours'): string {
  const layers = [...busyboxImage().layers, layerOf(BOMB, encoding)];
  publish(plot.repository, imageOf(layers, json({ ...configOf(layers), config: { Env: ['PATH=/bin'] } })));
  return `${plot.repository.reference}:1`;
}

const base = (encoding: 'gzip' | 'zstd' | 'plain' | 'ours', fills: readonly Disk[]): Source => ({
  args: (plot) => dockerfile(plot, `FROM ${publishBomb(plot, encoding)}`, 'RUN true'),
  fills,
});

const cached = (encoding: 'gzip', fills: readonly Disk[]): Source => ({
  args: (plot) => {
    const { args } = cachedBuild(plot, 'repo', recordsWith(fixtures.baseline, layerOf(BOMB, encoding)));
    dockerfile(plot, 'FROM scratch AS one', 'COPY a /probe-a', 'FROM scratch', 'COPY --from=one / /all/');
    return args;
  },
  fills,
  says: /^error: cannot unpack layer/m,
});

/** A step that a build has stored, which another one is to be made of. */
function ownCached(plot: Plot): readonly string[] {
  plot.write({ 'context/large': LARGE });
  dockerfile(plot, 'FROM scratch AS one', 'COPY large /', 'FROM scratch', 'COPY --from=one / /all/');
  return build(plot, `--cache-repo=${cacheRepository}`);
}

const archive = (encoding: Parameters<typeof encode>[1], fills: readonly Disk[]): Source => ({
  args: (plot) => {
    plot.write({ 'context/x.tar': encode(BOMB, encoding) });
    return dockerfile(plot, 'FROM scratch', 'ADD x.tar /out/');
  },
  fills,
});

const SOURCES: Readonly<Record<string, Source>> = {
  'a base layer, gzip': base('gzip', ['work', 'local']),
  'a base layer, zstd': base('zstd', ['work']),
  'a base layer, plain': base('plain', ['work', 'oci', 'docker']),
  'a base layer with a table': base('ours', ['work', 'local']),
  'a layer of the cache, gzip': cached('gzip', ['work']),
  'a layer of the cache with a table': { args: ownCached, says: /^error: cannot unpack layer/m },
  'an archive of ADD, gzip': archive('gzip', ['work', 'local']),
  'an archive of ADD, zstd': archive('zstd', ['work']),
  'an archive of ADD, xz': archive('xz', ['work']),
  'a download of ADD': {
    args: (plot) => {
      const digest = plot.repository.blob(LARGE);
      const url = `http://${plot.registry.host}/v2/${plot.repository.name}/blobs/${digest}`;
      return dockerfile(plot, 'FROM scratch', `ADD ${url} /large`);
    },
  },
  'an archive of a feature': {
    args: (plot) => featureBuild(plot, fixtures, encode(featureArchive(...FILES), 'gzip')).args,
  },
  'an archive that is the context': {
    args: (plot) => {
      plot.write({ 'context.tar.gz': encode(BOMB, 'gzip') });
      return [...build(plot).slice(0, -1), join(plot.dir, 'context.tar.gz')];
    },
  },
  'COPY of a context': {
    args: (plot) => {
      plot.write({ 'context/large': LARGE });
      return dockerfile(plot, 'FROM scratch', 'COPY large /');
    },
  },
  'COPY of a stage': {
    args: (plot) => {
      const bomb = publishBomb(plot, 'gzip');
      return dockerfile(plot, 'FROM scratch', `COPY --from=${bomb} /bomb0 /bomb1 /bomb2 /copies/`);
    },
  },
  RUN: {
    args: (plot) => dockerfile(plot, `FROM ${fixtures.busybox}`, 'RUN busybox head -c 32m /dev/zero >/large'),
    fails: true,
  },
  'RUN that minds nothing': {
    args: (plot) =>
      dockerfile(plot, `FROM ${fixtures.busybox}`, 'RUN busybox head -c 32m /dev/zero >/large || true'),
  },
  'RUN with a cache mount': {
    args: (plot) =>
      dockerfile(
        plot,
        `FROM ${fixtures.busybox}`,
        'RUN --mount=type=cache,target=/c busybox head -c 32m /dev/zero >/c/large',
      ),
    fills: ['state'],
    fails: true,
  },
};

/** What is below a small disk: the directory's own name, and the output that goes there. */
const OUTPUTS: Readonly<Partial<Record<Disk, string>>> = {
  local: 'files',
  oci: 'layout',
  docker: 'image.tar',
};

function argsFor(args: readonly string[], disk: Disk, dir: string): readonly string[] {
  const name = OUTPUTS[disk];
  const output = `--output=type=${disk},dest=${join(dir, name ?? '')}`;
  return name === undefined ? args : args.map((arg) => (arg.startsWith('--output=') ? output : arg));
}

for (const [source, { args, fills = WORK, fails = false, says = /^error: /m }] of Object.entries(SOURCES))
  for (const disk of fills)
    test(`a small disk is full: ${source}, ${disk}`, async () => {
      const plot = field.plot();
      try {
        const dir = join(plot.dir, OUTPUTS[disk] === undefined ? disk : 'outputs');
        mkdirSync(dir);
        const { code, stdout, stderr, hung } = await run(plot, argsFor(args(plot), disk, dir), dir);
        const said = `${stdout}\n${stderr}`;
        assert.ok(!hung, said);
        assert.equal(code, EXIT_CODES[fails ? 'BUILD_FAILED' : 'DISK_FULL'].exit, said);
        assert.match(stderr, fails ? /^hint: the disk of .* is full: /m : /^error: .*no space left/m);
        assert.match(stderr, says);
        // Which disk it is, and how to take another one.
        if (disk === 'work') assert.match(stderr, /^hint: .*--work-dir/m);
        else assert.match(stderr, new RegExp(`^(error|hint): .*${dir}`, 'm'));
        assert.doesNotMatch(said, /defect in envbuilder|unexpected failure|\n\s+at /);
        const left = readFileSync(`${dir}.left`, 'utf8');
        if (disk === 'state') assert.doesNotMatch(left, /\.(tmp|new|partial)/);
        else assert.equal(left, '');
      } finally {
        plot.remove();
      }
    });
