import { spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AppError } from '../core/error.ts';
import { ownProgram } from '../core/own-files.ts';
import type { LayerReader } from '../layer/types.ts';
import type { Syscalls } from '../sys/types.ts';
import { readTar } from '../tar/reader.ts';
import type { SourceTree, TreeNode } from './types.ts';
import { unpackEntries } from './unpack.ts';

const HEAD_BYTES = 512;
type Compression = 'gzip' | 'zstd' | 'bzip2' | 'xz';
const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];

/**
 * Whether ADD unpacks a file: a tar, plain or compressed by gzip, bzip2, xz or zstd, told as BuildKit does by whether a first
 * entry can be read. What holds anything else is copied as it is.
 */
export async function isArchive(tree: SourceTree, node: TreeNode): Promise<boolean> {
  if (node.type !== 'file' || node.size === 0) return false;
  const [head, whole] = await peek(tree.open(node));
  let plain: Readable = whole;
  try {
    const kind = compressionOf(head);
    if (kind !== undefined) plain = decompressor(kind, whole, node.path);
    const entries = readTar(plain, node.path);
    const first = await entries.next();
    await entries.return(undefined);
    return !first.done;
  } catch (error) {
    // Without the program nobody can tell; unpacking it says what is missing.
    return error instanceof AppError && error.code === 'CONTEXT';
  } finally {
    // A program that has more to say waits for a reader, and the process for the program.
    plain.destroy();
    whole.destroy();
  }
}

export interface UnpackOptions {
  readonly readLayer: (stream: Readable, mediaType: string, what: string) => LayerReader;
  readonly syscalls: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'> & Partial<Pick<Syscalls, 'openat2'>>;
  /** Names the archive in errors. */
  readonly what: string;
}

/**
 * Unpacks an archive into an empty directory, with owners, modes, times, links and attributes. Links that it writes through
 * lead where they would if the directory were the root, as under Docker.
 * @throws AppError CORRUPT when it is not an archive or leaves its root; CONTEXT when bzip2 or xz is needed and missing
 */
export async function unpackArchive(stream: Readable, target: string, options: UnpackOptions): Promise<void> {
  const [head, whole] = await peek(stream);
  const kind = compressionOf(head);
  const plain = kind === 'bzip2' || kind === 'xz' ? decompressor(kind, whole, options.what) : whole;
  const { readLayer, syscalls, what } = options;
  try {
    await unpackEntries(readLayer(plain, '', what), target, {
      what,
      syscalls,
      links: 'in-root',
      metadata: 'all',
    });
  } finally {
    // What follows the end of the archive is nobody's, and its program is not waited for.
    plain.destroy();
    whole.destroy();
  }
}

function decompressor(kind: Compression, stream: Readable, what: string): Readable {
  if (kind === 'bzip2' || kind === 'xz') return decompressBy(kind, stream, what);
  const out = kind === 'gzip' ? createGunzip() : createZstdDecompress();
  pipeline(stream, out).catch(() => {});
  return out;
}

function decompressBy(program: 'bzip2' | 'xz', stream: Readable, what: string): Readable {
  const child = spawn(ownProgram(program), ['-dc'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH ?? '' },
  });
  const out = new PassThrough({ highWaterMark: 1024 * 1024 });
  const fail = (error: unknown): void => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing
      ? `${what} is compressed by ${program}, which is not installed`
      : `${what} cannot be unpacked by ${program}`;
    out.destroy(
      new AppError(missing ? 'CONTEXT' : 'CORRUPT', message, {
        cause: error,
        ...(missing ? { hint: `install ${program}` } : {}),
      }),
    );
  };
  child.on('error', fail);
  child.on('exit', (code) => (code === 0 ? undefined : fail(new Error(`${program} exited with ${code}`))));
  out.on('close', () => child.kill());
  pipeline(stream, child.stdin).catch(() => {});
  pipeline(child.stdout, out).catch(() => {});
  return out;
}

function compressionOf(head: Buffer): Compression | undefined {
  return MAGIC.find(([, bytes]) => head.subarray(0, bytes.length).equals(bytes))?.[0];
}

async function peek(stream: Readable): Promise<[Buffer, Readable]> {
  let head: Buffer = Buffer.alloc(0);
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  while (head.length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const first = head;
  const whole = new PassThrough({ highWaterMark: 1024 * 1024 });
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (first.length > 0) yield first;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  };
  pipeline(rest, whole).catch(() => {});
  return [head, whole];
}
