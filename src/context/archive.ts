import type { Readable } from 'node:stream';
import { AppError } from '../core/error.ts';
import { decodeStream } from '../layer/decode-stream.ts';
import type { LayerReader } from '../layer/types.ts';
import type { Syscalls } from '../sys/types.ts';
import { readTar } from '../tar/reader.ts';
import type { SourceTree, TreeNode } from './types.ts';
import { unpackEntries } from './unpack.ts';

/**
 * Whether ADD unpacks a file: a tar, plain or compressed by gzip, bzip2, xz or zstd, told as BuildKit does by whether a first
 * entry can be read. What holds anything else is copied as it is.
 */
export async function isArchive(tree: SourceTree, node: TreeNode): Promise<boolean> {
  if (node.type !== 'file' || node.size === 0) return false;
  const plain = decodeStream(tree.open(node), node.path);
  const entries = readTar(plain, node.path);
  try {
    return !(await entries.next()).done;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Without the program nobody can tell; unpacking it says what is missing.
    return error.code === 'CONTEXT';
  } finally {
    await entries.return(undefined);
    await plain.return(undefined);
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
  const { readLayer, syscalls, what } = options;
  await unpackEntries(readLayer(stream, '', what), target, {
    what,
    syscalls,
    links: 'in-root',
    metadata: 'all',
  });
}
