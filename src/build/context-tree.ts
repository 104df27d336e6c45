import { mkdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { CopyItem, SourceTree } from '../context/types.ts';
import type { Syscalls } from '../sys/types.ts';
import { applyCopy } from './copy-files.ts';

/** Writes files of the context to a path that does not exist yet, owned by root: what a bind mount of the context shows. */
export async function writeContextTree(
  syscalls: Syscalls,
  tree: SourceTree,
  items: readonly CopyItem[],
  target: string,
): Promise<void> {
  const parent = posix.dirname(target);
  mkdirSync(parent, { recursive: true });
  await applyCopy({
    root: parent,
    tree,
    items,
    destination: `/${posix.basename(target)}`,
    several: false,
    owner: { uid: 0, gid: 0 },
    followDestination: false,
    syscalls,
  });
}
