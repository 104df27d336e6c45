/*
 * Unpacking layers, against `zstd -dc | tar x` of the same layers one after the other. Run by hand:
 *   node bench/extract.ts [runs]
 * Prints the ratio of the medians of the two, and our peak memory. Each run writes into a fresh directory; everything is
 * deleted at the end only, since ext4 is slow at making files soon after many were deleted.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silent } from '../src/core/events.ts';
import { decodePath, fsPath } from '../src/core/path-bytes.ts';
import { createCompressPool } from '../src/layer/compress-pool.ts';
import { createFileLayerWriter, type FileLayerWriter } from '../src/layer/file-layer-writer.ts';
import type { Compression, LayerBlob } from '../src/layer/types.ts';
import { extractLayers } from '../src/rootfs/extract/extract.ts';
import { createSyscalls } from '../src/sys/syscalls.ts';
import type { EntryType } from '../src/tar/types.ts';

/** What the layers are made of; the last one replaces a part of the first. */
const LAYERS = [
  ['/usr/include', '/usr/lib/python3', '/usr/lib/python3.11', '/usr/lib/gcc'],
  ['/usr/share/man', '/usr/share/doc', '/usr/share/perl', '/usr/lib/git-core'],
  ['/usr/lib/python3.11'],
];

const [mode = 'all', ...rest] = process.argv.slice(2);
if (mode === 'ours') await unpack(JSON.parse(rest[0]!) as StoredLayer[], rest[1]!);
else await compare(Number(mode) || 5);

type StoredLayer = Omit<LayerBlob, 'open' | 'readRange' | 'from'> & { readonly file: string };

async function compare(runs: number): Promise<void> {
  const base = fs.mkdtempSync(path.join(process.env.BENCH_DIR ?? os.tmpdir(), 'bench-extract-'));
  const compression = (process.env.BENCH_COMPRESSION ?? 'zstd') as Compression;
  try {
    const layers: StoredLayer[] = [];
    for (const [index, roots] of LAYERS.entries()) {
      layers.push(await makeLayer(path.join(base, `layer-${index}`), roots, compression));
    }
    const times: Record<'tar' | 'ours', Taken[]> = { tar: [], ours: [] };
    let rss = 0;
    for (let run = 0; run < runs; run += 1) {
      const target = path.join(base, `${run}`);
      times.tar.push(timed(`${target}-tar`, (directory) => untar(layers, directory, compression)));
      times.ours.push(
        timed(`${target}-ours`, (directory) => {
          const args = [...process.execArgv, import.meta.filename, 'ours', JSON.stringify(layers), directory];
          rss = Math.max(rss, Number(execFileSync(process.execPath, args, { encoding: 'utf8' })));
        }),
      );
      const [tar, ours] = [times.tar.at(-1)!, times.ours.at(-1)!];
      console.log(`run ${run + 1}: tar ${tar.ms} ms (CPU ${tar.cpu}), ours ${ours.ms} ms (CPU ${ours.cpu})`);
    }
    const ratio = (of: 'ms' | 'cpu'): string => (median(times.ours, of) / median(times.tar, of)).toFixed(2);
    console.log(`ratio ${ratio('ms')}, of CPU time ${ratio('cpu')}, peak memory ${rss} MB`);
  } finally {
    fs.rmSync(base, { recursive: true, force: true });
  }
}

function untar(layers: readonly StoredLayer[], directory: string, compression: Compression): void {
  const decode = { zstd: 'zstd -qdc', gzip: 'gzip -dc', none: 'cat' }[compression];
  const script = `for layer do ${decode} "$layer" | tar x -C "$0" || exit; done`;
  execFileSync('sh', ['-c', script, directory, ...layers.map(({ file }) => file)]);
}

async function unpack(layers: readonly StoredLayer[], target: string): Promise<void> {
  const blobs = layers.map((layer): LayerBlob => {
    const fd = fs.openSync(layer.file, 'r');
    return {
      ...layer,
      from: 'the bench',
      open: async () => fs.createReadStream(layer.file),
      readRange: (offset, length) =>
        new Promise((resolve, reject) => {
          fs.read(fd, Buffer.allocUnsafeSlow(length), 0, length, offset, (error, _count, buffer) =>
            error ? reject(error) : resolve(buffer),
          );
        }),
    };
  });
  await extractLayers({ layers: blobs, target, privileged: true, emit: silent }, { sys: createSyscalls() });
  console.log(Math.round(process.resourceUsage().maxRSS / 1024));
}

interface Taken {
  readonly ms: number;
  readonly cpu: number;
}

/** What `work` takes on a fresh directory, begun with nothing left to write back. */
function timed(directory: string, work: (directory: string) => void): Taken {
  fs.mkdirSync(directory);
  execFileSync('sync');
  const start = performance.now();
  const cpu = childCpu();
  work(directory);
  return { ms: Math.round(performance.now() - start), cpu: childCpu() - cpu };
}

/** Milliseconds of CPU of all children that ended (proc_pid_stat(5): cutime and cstime, in hundredths of a second). */
function childCpu(): number {
  const fields = fs.readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function median(values: readonly Taken[], of: keyof Taken): number {
  return values.map((taken) => taken[of]).toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function makeLayer(
  file: string,
  roots: readonly string[],
  compression: Compression,
): Promise<StoredLayer> {
  const pool = createCompressPool();
  const writer = createFileLayerWriter(file, { compression, pool });
  const links = new Map<string, string>();
  for (const root of roots) if (fs.existsSync(root)) await addTree(writer, root, links);
  const { mediaType, digest, size, diffId, toc, tarSize, entryCount } = await writer.finish();
  await pool.close();
  console.log(
    `${path.basename(file)}: ${entryCount} entries, ${tarSize >> 20} MiB, ${size >> 20} MiB compressed`,
  );
  return { mediaType, digest, size, diffId, ...(toc ? { toc } : {}), file };
}

async function addTree(writer: FileLayerWriter, full: string, links: Map<string, string>): Promise<void> {
  const stat = fs.lstatSync(fsPath(full));
  const type: EntryType | undefined = stat.isDirectory()
    ? 'dir'
    : stat.isFile()
      ? 'file'
      : stat.isSymbolicLink()
        ? 'symlink'
        : undefined;
  if (!type) return;
  const first = links.get(`${stat.dev}:${stat.ino}`);
  const entry = {
    path: full.slice(1),
    type: first === undefined ? type : ('hardlink' as const),
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: type === 'file' && first === undefined ? stat.size : 0,
    mtime: Math.floor(stat.mtimeMs / 1000),
    mtimeNsec: 0,
    linkname:
      first ?? (type === 'symlink' ? decodePath(fs.readlinkSync(fsPath(full), { encoding: 'buffer' })) : ''),
    devmajor: 0,
    devminor: 0,
  };
  if (type === 'file' && stat.nlink > 1) links.set(`${stat.dev}:${stat.ino}`, entry.path);
  await writer.add(entry, entry.size > 0 ? [fs.readFileSync(fsPath(full))] : undefined);
  if (type !== 'dir') return;
  for (const name of fs.readdirSync(fsPath(full), { encoding: 'buffer' })) {
    await addTree(writer, `${full}/${decodePath(name)}`, links);
  }
}
