import { hash } from 'node:crypto';
import { type BatchThreads, batchThreadCount, createBatchThreads } from '../core/batch-threads.ts';
import type { Digest } from '../core/digest.ts';
import type { Syscalls } from '../sys/types.ts';
import type { HashMemo } from './file-hash-memo.ts';
import {
  createSmallFileReader,
  createSmallFilesFiller,
  isSmallFile,
  MANY_FILES,
  type SmallFiles,
} from './small-files.ts';
import type { TreeNode } from './types.ts';

const SHA256_BYTES = 32;

/** SHA-256 of the files of a batch, one after the other; zeros for one that is not as it was listed or cannot be read. */
export type BatchDigests = Uint8Array;

/** A function that hashes a batch. */
export function createBatchHasher(syscalls: Pick<Syscalls, 'openat2'>): (files: SmallFiles) => BatchDigests {
  const read = createSmallFileReader(syscalls);
  return (files) => {
    const digests = new Uint8Array(files.names.length * SHA256_BYTES);
    for (const index of files.names.keys()) {
      try {
        const content = read(files, index);
        if (content) digests.set(hash('sha256', content, 'buffer'), index * SHA256_BYTES);
      } catch {
        // Whoever asks for the file itself finds the same, and says so.
      }
    }
    return digests;
  };
}

/** How files are hashed ahead. */
export interface HashAheadOptions {
  /** Host path of their tree, free of links. */
  readonly root: string;
  readonly memo: HashMemo;
  /** Whether nodes have the attributes that a copy keeps. */
  readonly xattrs: boolean;
}

/** A batch whose digests are to come. */
interface Sent {
  readonly nodes: readonly TreeNode[];
  readonly begun: bigint;
  digests: BatchDigests | undefined;
}

/**
 * Has threads hash small files that the memo does not know, where there are so many that it pays, and tells the memo. What
 * is not hashed then, for whatever reason, is as unknown as before.
 * @throws AppError INTERNAL when a thread ends
 */
export async function hashAhead(nodes: Iterable<TreeNode>, options: HashAheadOptions): Promise<void> {
  const { root, memo, xattrs } = options;
  if (batchThreadCount() < 2) return;
  let threads: BatchThreads<SmallFiles, BatchDigests> | undefined;
  /** In the order in which they were listed, and are told to the memo. */
  const sent: Sent[] = [];
  const filler = createSmallFilesFiller();
  let filled: TreeNode[] = [];
  const learn = (): void => {
    while (sent[0]?.digests) learnAll(sent.shift()!, memo, xattrs);
  };
  const send = async (batch: SmallFiles, into: readonly TreeNode[]): Promise<void> => {
    threads ??= createBatchThreads({ script: 'hash-worker', data: undefined, what: 'hashes files' });
    const one: Sent = { nodes: into, begun: memo.now(), digests: undefined };
    sent.push(one);
    await threads.send(batch, [batch.rows.buffer], (digests) => {
      one.digests = digests;
      learn();
    });
  };
  /** Kept until there are so many that threads pay. */
  let first: { readonly batch: SmallFiles; readonly nodes: readonly TreeNode[] }[] = [];
  let count = 0;
  const flush = async (): Promise<void> => {
    first.push({ batch: filler.take(), nodes: filled });
    count += filled.length;
    filled = [];
    if (count < MANY_FILES) return;
    for (const { batch, nodes } of first) await send(batch, nodes);
    first = [];
  };
  try {
    for (const node of nodes) {
      if (!isSmallFile(node) || memo.get(node.version!)) continue;
      const cut = node.path.lastIndexOf('/');
      const directory = cut < 0 ? root : `${root}/${node.path.slice(0, cut)}`;
      if (filler.isFullFor(directory)) await flush();
      filler.add(directory, node.path.slice(cut + 1), node);
      filled.push(node);
    }
    if (filled.length > 0) await flush();
    await threads?.finish();
  } finally {
    await threads?.close();
  }
}

function learnAll({ nodes, begun, digests }: Sent, memo: HashMemo, plain: boolean): void {
  for (const [index, { version }] of nodes.entries()) {
    const digest = Buffer.from(digests!.buffer, index * SHA256_BYTES, SHA256_BYTES);
    if (digest.some((byte) => byte !== 0))
      memo.set(version!, { digest: `sha256:${digest.toString('hex')}` as Digest, plain }, begun);
  }
}
