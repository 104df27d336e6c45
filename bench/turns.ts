/*
 * Another checkout against this one, by turns: unpacking a layer of many small files (gzip, zstd without a table of
 * contents, our own zstd with one), and the plan of a context of as many, which is what a probe takes beyond its start. Run
 * by hand:
 *   node bench/turns.ts CHECKOUT [turns] [files]
 * Prints ratios, this checkout's to the other's: the median over the turns, and that of the least times, which a machine that
 * does much else changes less. Times are of processors, and unpacking is without the start of Node. Each checkout writes the
 * layers that have a table itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { digestOf } from '../src/core/digest.ts';
import { EXIT_CODES } from '../src/core/error.ts';

const THIS = join(import.meta.dirname, '..');
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
const [checkout = '', turns = '7', files = '10000'] = process.argv.slice(2);
if (checkout === '') throw new Error('name a checkout to compare with');
const checkouts = { before: resolve(checkout), after: THIS };
type Side = keyof typeof checkouts;
const base = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'bench-turns-'));

/** Writes a layer of small files; the bytes of one are like those of no other. */
const MAKE = `
  import { createHash } from 'node:crypto';
  import { writeFileSync } from 'node:fs';
  const [root, file, compression, files] = process.argv.slice(2);
  const { createFileLayerWriter } = await import(root + '/src/layer/file-layer-writer.ts');
  const writer = createFileLayerWriter(file, { compression });
  const plain = { uid: 0, gid: 0, mtime: 1_600_000_000, mtimeNsec: 0, linkname: '', devmajor: 0, devminor: 0 };
  for (let i = 0; i < Number(files); i += 1) {
    const dir = 'usr/share/d' + Math.floor(i / 100);
    if (i % 100 === 0) await writer.add({ ...plain, path: dir, type: 'dir', mode: 0o755, size: 0 });
    const content = Buffer.from(createHash('sha512').update(String(i)).digest('hex').repeat(1 + (i % 40)));
    await writer.add({ ...plain, path: dir + '/file-' + i, type: 'file', mode: 0o644, size: content.length }, [content]);
  }
  const { mediaType, digest, size, diffId, toc } = await writer.finish();
  writeFileSync(file + '.json', JSON.stringify({ mediaType, digest, size, diffId, ...(toc ? { toc } : {}) }));`;

const TAKE = `
  import fs from 'node:fs';
  const [root, file, target] = process.argv.slice(2);
  const rooms = ['/src/rootfs/extract/extract.ts', '/src/rootfs/extract.ts'];
  const { extractLayers } = await import(root + rooms.find((path) => fs.existsSync(root + path)));
  const { createSyscalls } = await import(root + '/src/sys/syscalls.ts');
  const fd = fs.openSync(file, 'r');
  const layer = {
    ...JSON.parse(fs.readFileSync(file + '.json', 'utf8')),
    from: 'the bench',
    open: async () => fs.createReadStream(file),
    readRange: (offset, length) =>
      new Promise((resolve, reject) => {
        const done = (error, _count, buffer) => (error ? reject(error) : resolve(buffer));
        fs.read(fd, Buffer.allocUnsafeSlow(length), 0, length, offset, done);
      }),
  };
  const sys = createSyscalls();
  const begun = process.cpuUsage();
  await extractLayers({ layers: [layer], target, privileged: true, emit: () => {} }, { sys });
  const { user, system } = process.cpuUsage(begun);
  console.log(Math.round((user + system) / 1000));`;

/** Milliseconds of all children that ended (proc_pid_stat(5): cutime and cstime, in hundredths of a second). */
function childCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}, code = 0): string {
  const env = { PATH: process.env.PATH, HOME: join(base, 'home'), ...more };
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' });
  if (status !== code) throw new Error(`${program} ${args.at(-1)}: ${status}\n${stderr}`);
  return stdout;
}

function node(side: Side, script: string, args: readonly string[]): string {
  const file = join(base, 'script.mjs');
  writeFileSync(file, script);
  const own = { NODE_COMPILE_CACHE: join(base, `compiled-${side}`) };
  return run(process.execPath, [...FLAGS, file, checkouts[side], ...args], own);
}

let count = 0;
function unpack(side: Side, file: string): number {
  const target = join(base, `t${count++}`);
  mkdirSync(target);
  return Number(node(side, TAKE, [file, target]));
}

const layerOf = (side: Side, kind: string): string => join(base, `${kind}-${side}`);
const probe = (side: Side): number => {
  const begun = childCpu();
  const args = ['probe', `--layer-cache-dir=${join(base, `cache-${side}`)}`, context];
  run(join(checkouts[side], 'envbuilder'), args, {}, EXIT_CODES.CACHE_MISS.exit);
  return childCpu() - begun;
};
const context = join(base, 'context');

/** By name: what is measured, in milliseconds. */
const works: Record<string, (side: Side) => number> = {
  'unpack, gzip': (side) => unpack(side, layerOf('after', 'gzip')),
  'unpack, zstd without a table': (side) => unpack(side, layerOf('after', 'plain')),
  'unpack, ours': (side) => unpack(side, layerOf(side, 'zstd')),
  probe,
};

try {
  mkdirSync(join(base, 'home'));
  for (const [side, kind] of [
    ['after', 'gzip'],
    ['after', 'none'],
    ['before', 'zstd'],
    ['after', 'zstd'],
  ] as const)
    node(side, MAKE, [layerOf(side, kind), kind, files]);
  const tar = layerOf('after', 'none');
  run('zstd', ['-q', tar, '-o', layerOf('after', 'plain')]);
  const told = JSON.parse(readFileSync(`${tar}.json`, 'utf8')) as Record<string, unknown>;
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd';
  const bytes = readFileSync(layerOf('after', 'plain'));
  const plain = { ...told, mediaType, size: bytes.length, digest: digestOf(bytes) };
  writeFileSync(`${layerOf('after', 'plain')}.json`, JSON.stringify(plain));
  mkdirSync(context);
  run('tar', ['-xf', tar, '-C', context]);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  const taken = Object.fromEntries(
    Object.keys(works).map((name) => [name, { before: [], after: [] } as Record<Side, number[]>]),
  );
  // The first one fills what Node keeps of compiled sources.
  for (let turn = 0; turn <= Number(turns); turn += 1)
    for (const [name, work] of Object.entries(works))
      for (const side of turn % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const)) {
        const one = work(side);
        if (turn > 0) taken[name]![side].push(one);
      }
  for (const [name, { before, after }] of Object.entries(taken)) {
    const ratios = after.map((ms, turn) => ms / before[turn]!).toSorted((a, b) => a - b);
    const least = Math.min(...after) / Math.min(...before);
    const median = ratios[Math.floor(ratios.length / 2)]!;
    const times = `ms: ${before.join(' ')} | ${after.join(' ')}`;
    console.log(`${name}: median ${median.toFixed(2)}, least ${least.toFixed(2)} (${times})`);
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}
