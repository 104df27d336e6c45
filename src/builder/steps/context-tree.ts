import { mkdirSync } from 'node:fs';
import { posix } from 'node:path';
import { createDirectoryTree } from '../../context/dir-tree.ts';
import type { CopyItems, SourceTree } from '../../context/types.ts';
import { contextItems } from '../../plan/context-items.ts';
import { createOpenPlain } from '../../sys/beneath.ts';
import type { Syscalls } from '../../sys/types.ts';
import { applyCopy } from './copy-files.ts';
import { xattrReader } from './copy-step.ts';

/**
 * Writes files of the context to a path that does not exist yet, owned by root: what a bind mount of the context shows. A
 * directory's own mode stays behind, as it does in a COPY; the path gets 0755.
 * @param mtime as CommitOptions.mtime
 */
export async function writeContextTree(
  syscalls: Syscalls,
  tree: SourceTree,
  items: CopyItems,
  target: string,
  mtime?: number,
): Promise<void> {
  const parent = posix.dirname(target);
  mkdirSync(parent, { recursive: true });
  await applyCopy({
    root: parent,
    tree,
    items,
    destination: `/${posix.basename(target)}`,
    owner: { uid: 0, gid: 0 },
    followDestination: false,
    ...(mtime === undefined ? {} : { mtime }),
    syscalls,
  });
}

/** Copies a directory of a root into an existing directory, owners kept: what a new cache mount with `from=` starts with. */
export async function copyDirectory(
  syscalls: Syscalls,
  root: string,
  path: string,
  target: string,
): Promise<void> {
  const tree = createDirectoryTree({
    root,
    name: 'the mount source',
    xattrs: xattrReader(syscalls),
    openPlain: createOpenPlain(syscalls),
    room: { disk: target, syscalls },
  });
  await applyCopy({
    root: posix.dirname(target),
    tree,
    items: await contextItems(tree, path),
    destination: `/${posix.basename(target)}`,
    ownTop: true,
    owner: 'keep',
    followDestination: false,
    syscalls,
  });
}
