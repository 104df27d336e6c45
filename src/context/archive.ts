import type { Readable } from 'node:stream';
import { AppError } from '../core/error.ts';
import { decodeStream } from '../layer/decode-stream.ts';
import type { LayerReader } from '../layer/types.ts';
import type { BeneathDirectory } from '../sys/beneath.ts';
import { RefusedEntry } from '../tar/item.ts';
import { readTar } from '../tar/reader.ts';
import type { SourceTree, TreeNode } from './types.ts';
import { type UnpackOverRules, unpackOver } from './unpack-over.ts';

/**
 * Whether ADD unpacks a file: a tar, plain or compressed by gzip, bzip2, xz or zstd, told as BuildKit does by whether a first
 * entry can be read. What holds anything else is copied as it is.
 */
export async function isArchive(tree: SourceTree, node: TreeNode): Promise<boolean> {
  if (node.type !== 'file' || node.size === 0) return false;
  const plain = decodeStream(tree.open(node), node.path);
  // What follows the end of an archive without entries, if only zeros, may be as long as the file.
  const entries = readTar(plain, node.path, () => {
    throw new AppError('CORRUPT', `${node.path} has no entry`);
  });
  try {
    return !(await entries.next()).done;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Without the program nobody can tell; unpacking it says what is missing. It also says what is wrong with an entry.
    return error.code === 'CONTEXT' || error instanceof RefusedEntry;
  } finally {
    await entries.return(undefined);
    await plain.return(undefined);
  }
}

export interface UnpackOptions extends UnpackOverRules {
  readonly readLayer: (stream: Readable, mediaType: string, what: string) => LayerReader;
}

/**
 * Unpacks an archive into a directory, see unpackOver.
 * @throws AppError CORRUPT when it is not an archive or leaves its root; CONTEXT when bzip2 or xz is needed and missing
 */
export async function unpackArchive(
  stream: Readable,
  directory: BeneathDirectory,
  { readLayer, ...rules }: UnpackOptions,
): Promise<void> {
  await unpackOver(readLayer(stream, '', rules.what), directory, rules);
}
