import { chmodSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { checkoutGit } from '../context/add-git.ts';
import { fetchUrl } from '../context/add-url.ts';
import { unpackArchive } from '../context/archive.ts';
import { parseChmod } from '../context/chmod.ts';
import { createDirectoryTree } from '../context/dir-tree.ts';
import { createInlineTree } from '../context/inline-tree.ts';
import { resolveCopy } from '../context/resolve-copy.ts';
import type { CopyItem, SourceTree } from '../context/types.ts';
import { AppError } from '../core/error.ts';
import { readLayer } from '../layer/read-layer.ts';
import type { CopyInput, CopyOperation, Step, TreeSource } from '../plan/types.ts';
import type { RootfsState } from '../rootfs/types.ts';
import { lookupChown } from '../rootfs/users.ts';
import type { Syscalls } from '../sys/types.ts';
import { applyCopy, type CopyOwner } from './copy-files.ts';
import { whereOfStep } from './step-error.ts';

export interface CopyStepDeps {
  /** For downloads and unpacked archives, as long as one step. */
  readonly workDir: () => string;
  readonly syscalls: () => Syscalls;
  readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
}

/** A place for files of one input, and the instruction that they belong to. */
interface CopyTask {
  readonly deps: CopyStepDeps;
  readonly step: Step;
  readonly operation: CopyOperation;
  readonly root: string;
  readonly owner: CopyOwner | undefined;
}

/**
 * Writes the files of a COPY or ADD into a root.
 * @throws AppError CONTEXT, BUILD_FAILED, CORRUPT, at the instruction
 */
export async function executeCopy(
  deps: CopyStepDeps,
  step: Step,
  operation: CopyOperation,
  root: string,
): Promise<void> {
  const owner = operation.chown === undefined ? undefined : lookupChown(root, operation.chown);
  const task: CopyTask = { deps, step, operation, root, owner };
  for (const input of operation.inputs) await copyInput(task, input);
}

async function copyInput(task: CopyTask, input: CopyInput): Promise<void> {
  switch (input.kind) {
    case 'context':
      return write(task, input.tree, input.items, 'root');
    case 'inline': {
      const tree = createInlineTree(input.name, input.content, Math.floor(Date.now() / 1000));
      return write(task, tree, await all(tree, input.name), 'root');
    }
    case 'from':
      return copyFrom(task, input.source, input.paths);
    case 'archive':
      return inScratch(task, async (directory) => {
        const node = await input.tree.stat(input.path);
        if (!node) throw new AppError('CONTEXT', `${input.path} is gone`, { where: whereOfStep(task.step) });
        await unpack(task, input.tree.open(node), directory, input.path);
        input.tree.checkUnchanged?.(node);
      });
    case 'url':
      return copyUrl(task, input);
    case 'git':
      return inScratch(
        task,
        (directory) => checkoutGit(input.url, input.commit, directory, { keepGitDir: input.keepGitDir }),
        'root',
      );
  }
}

async function copyFrom(task: CopyTask, source: TreeSource, paths: readonly string[]): Promise<void> {
  const state = await task.deps.stateOf(source);
  await state.read(async (root) => {
    const tree = createDirectoryTree({
      root,
      name: sourceName(source),
      xattrs: xattrReader(task.deps.syscalls()),
    });
    const { excludes, parents } = task.operation;
    const items = await resolveCopy(tree, {
      sources: paths,
      excludes,
      parents,
      where: whereOfStep(task.step),
    });
    await write(task, tree, items, 'keep');
  });
}

async function copyUrl(task: CopyTask, input: Extract<CopyInput, { kind: 'url' }>): Promise<void> {
  const directory = await mkdtemp(join(task.deps.workDir(), 'url-'));
  try {
    const fetched = await fetchUrl(input.url, {
      targetDir: directory,
      ...(input.checksum === undefined ? {} : { checksum: input.checksum }),
    });
    if (fetched.digest !== input.digest) {
      throw new AppError('CORRUPT', `${input.url} changed while the build was running`, {
        where: whereOfStep(task.step),
      });
    }
    const tree = createDirectoryTree({ root: directory, name: 'the download' });
    const [item] = await all(tree, posix.basename(fetched.file));
    const node = { ...item!.node, mode: 0o600, mtime: fetched.lastModified ?? 0, mtimeNsec: 0 };
    if (input.unpack) {
      return await inScratch(task, (into) => unpack(task, tree.open(node), into, input.url));
    }
    await write(task, tree, [{ node, target: input.name }], 'root');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function unpack(
  task: CopyTask,
  stream: ReturnType<SourceTree['open']>,
  directory: string,
  what: string,
): Promise<void> {
  await unpackArchive(stream, directory, { readLayer, syscalls: task.deps.syscalls(), what });
}

/** Has `fill` fill a new directory and copies what is in it. */
async function inScratch(
  task: CopyTask,
  fill: (directory: string) => Promise<unknown>,
  owner: 'keep' | 'root' = 'keep',
): Promise<void> {
  const directory = await mkdtemp(join(task.deps.workDir(), 'add-'));
  try {
    chmodSync(directory, 0o755);
    await fill(directory);
    const tree = createDirectoryTree({
      root: directory,
      name: 'the archive',
      xattrs: xattrReader(task.deps.syscalls()),
    });
    const where = whereOfStep(task.step);
    const items = await resolveCopy(tree, {
      sources: ['/'],
      excludes: task.operation.excludes,
      parents: false,
      where,
    });
    await write(task, tree, items, owner, true);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function write(
  task: CopyTask,
  tree: SourceTree,
  items: readonly CopyItem[],
  fallback: 'keep' | 'root',
  directory = false,
): Promise<void> {
  const { operation, root } = task;
  const destination =
    directory && !operation.destination.endsWith('/') ? `${operation.destination}/` : operation.destination;
  await applyCopy({
    root,
    tree,
    items,
    destination,
    several: operation.sourceCount > 1,
    owner: task.owner ?? (fallback === 'keep' ? 'keep' : { uid: 0, gid: 0 }),
    followDestination: true,
    syscalls: task.deps.syscalls(),
    ...(operation.chmod === undefined ? {} : { chmod: parseChmod(operation.chmod) }),
  });
}

async function all(tree: SourceTree, name: string): Promise<CopyItem[]> {
  const nodes = await tree.list(name);
  return nodes.map((node) => ({ node, target: node.path }));
}

/** Reads the attributes that a copy keeps. */
export function xattrReader(
  syscalls: Syscalls,
): (hostPath: string) => ReadonlyMap<string, Buffer> | undefined {
  return (path) => {
    const names = syscalls
      .listXattrs(path)
      .filter((name) => name === 'security.capability' || name.startsWith('user.'));
    if (names.length === 0) return undefined;
    const pairs = names.sort().map((name) => [name, syscalls.getXattr(path, name)] as const);
    return new Map(pairs.filter((pair): pair is readonly [string, Buffer] => pair[1] !== undefined));
  };
}

function sourceName(source: TreeSource): string {
  if (source.type === 'stage') return `stage ${source.stage}`;
  return source.type === 'image' ? source.image.reference : 'scratch';
}
