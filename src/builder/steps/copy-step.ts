import { chmodSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { checkoutGit } from '../../context/add-git.ts';
import { fetchUrl } from '../../context/add-url.ts';
import { isArchive, unpackArchive } from '../../context/archive.ts';
import { madeDirectoryMode, parseChmod } from '../../context/chmod.ts';
import { placeNodes } from '../../context/copy-items.ts';
import { createDirectoryTree } from '../../context/dir-tree.ts';
import { createInlineTree } from '../../context/inline-tree.ts';
import { resolveCopy } from '../../context/resolve-copy.ts';
import type { SourceAccess } from '../../context/source-access.ts';
import type { CopyItems, SourceTree } from '../../context/types.ts';
import { AppError } from '../../core/error.ts';
import { hinted } from '../../core/hinted.ts';
import { readLayer } from '../../layer/read-layer.ts';
import type { CopyInput, CopyOperation, Step, TreeSource } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import { lookupChown } from '../../rootfs/users.ts';
import { createOpenPlain } from '../../sys/beneath.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Syscalls } from '../../sys/types.ts';
import { applyCopy, type CopyRequest, openDestination } from './copy-files.ts';
import { whereOfStep } from './step-error.ts';

/** What to do about an archive that cannot be unpacked. */
const ARCHIVE_HINT =
  'see what tar -tvf says of it, and pack it anew; with --unpack=false ADD takes it as it is';

export interface CopyStepDeps {
  /** For downloads and unpacked archives, as long as one step. */
  readonly workDir: () => string;
  readonly syscalls: () => Syscalls;
  readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
  readonly sources: SourceAccess;
  /** As CommitOptions.mtime. */
  readonly mtime: number | undefined;
  readonly signal: AbortSignal;
}

/** A place for files of one input, and the instruction that they belong to. */
interface CopyTask {
  readonly deps: CopyStepDeps;
  readonly step: Step;
  readonly operation: CopyOperation;
  readonly root: string;
  /** What --chown names. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
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
      return write(task, input.tree, await input.items(), { owner: 'root' });
    case 'inline': {
      const tree = createInlineTree(
        input.name,
        input.content,
        task.deps.mtime ?? Math.floor(Date.now() / 1000),
      );
      return write(task, tree, await all(tree, input.name), { owner: 'root' });
    }
    case 'from':
      return copyFrom(task, input.source, input.paths);
    case 'archive': {
      const node = await input.tree.stat(input.path);
      if (!node) throw new AppError('CONTEXT', `${input.path} is gone`, { where: whereOfStep(task.step) });
      await unpack(task, input.tree.open(node), input.path);
      return input.tree.checkUnchanged?.(node);
    }
    case 'url':
      return copyUrl(task, input);
    case 'git':
      return inScratch(
        task,
        (directory) =>
          checkoutGit(input.url, input.commit, directory, {
            keepGitDir: input.keepGitDir,
            access: task.deps.sources,
            signal: task.deps.signal,
          }),
        { owner: 'root', ownTop: true },
        task.operation.excludes,
      );
  }
}

async function copyFrom(task: CopyTask, source: TreeSource, paths: readonly string[]): Promise<void> {
  const state = await task.deps.stateOf(source);
  const copy = async (root: string): Promise<void> => {
    const tree = createDirectoryTree({
      root,
      name: sourceName(source),
      xattrs: xattrReader(task.deps.syscalls()),
      openPlain: createOpenPlain(task.deps.syscalls()),
      room: { disk: task.root, syscalls: task.deps.syscalls() },
    });
    const { excludes, parents } = task.operation;
    const items = await resolveCopy(tree, {
      sources: paths,
      excludes,
      parents,
      where: whereOfStep(task.step),
    });
    await write(task, tree, items, {});
  };
  await state.read(copy, wholeOf(task.operation, paths));
}

/** The paths where nothing besides them is read: with --parents the directories above are copied too. */
export function wholeOf({ parents }: CopyOperation, paths: readonly string[]): readonly string[] | undefined {
  return parents ? undefined : paths;
}

async function copyUrl(task: CopyTask, input: Extract<CopyInput, { kind: 'url' }>): Promise<void> {
  const directory = await mkdtemp(join(task.deps.workDir(), 'url-'));
  try {
    const fetched = await fetchUrl(input.url, {
      targetDir: directory,
      access: task.deps.sources,
      signal: task.deps.signal,
      ...(input.checksum === undefined ? {} : { checksum: input.checksum }),
    });
    if (fetched.digest !== input.digest) {
      throw new AppError('CORRUPT', `${input.url} changed while the build was running`, {
        where: whereOfStep(task.step),
        hint: 'build again; --checksum says which content is wanted',
      });
    }
    const tree = createDirectoryTree({ root: directory, name: 'the download' });
    const [found] = await tree.list(posix.basename(fetched.file));
    const node = { ...found!, mode: 0o600, mtime: fetched.lastModified ?? 0, mtimeNsec: 0 };
    if (input.unpack && (await isArchive(tree, node))) return await unpack(task, tree.open(node), input.url);
    await write(task, tree, [{ node, target: input.name, source: 0 }], { owner: 'root' });
  } finally {
    removeTree(directory);
  }
}

/** What is unpacked keeps the modes of the archive; neither --chmod nor --exclude reaches it, as in BuildKit. */
async function unpack(task: CopyTask, stream: ReturnType<SourceTree['open']>, what: string): Promise<void> {
  const { operation, root, owner } = task;
  const { destination } = operation;
  const syscalls = task.deps.syscalls();
  const directory = openDestination({
    root,
    destination,
    syscalls,
    ...(owner && { madeOwner: owner }),
  });
  try {
    await hinted('CORRUPT', ARCHIVE_HINT, () =>
      unpackArchive(stream, directory, { readLayer, syscalls, what, ...(owner && { owner }) }),
    );
  } finally {
    directory.close();
  }
}

/** Has `fill` fill a new directory and copies what is in it. */
async function inScratch(
  task: CopyTask,
  fill: (directory: string) => Promise<unknown>,
  how: WriteOptions,
  excludes: readonly string[],
): Promise<void> {
  const directory = await mkdtemp(join(task.deps.workDir(), 'add-'));
  try {
    chmodSync(directory, 0o755);
    await fill(directory);
    const tree = createDirectoryTree({
      root: directory,
      name: 'the archive',
      xattrs: xattrReader(task.deps.syscalls()),
      openPlain: createOpenPlain(task.deps.syscalls()),
    });
    const where = whereOfStep(task.step);
    const items = await resolveCopy(tree, { sources: ['/'], excludes, parents: false, where });
    await write(task, tree, items, how);
  } finally {
    removeTree(directory);
  }
}

interface WriteOptions extends Pick<CopyRequest, 'ownTop'> {
  /** Whose the files are without --chown; the source's owners unless something else is said. */
  readonly owner?: 'root';
}

async function write(
  task: CopyTask,
  tree: SourceTree,
  items: CopyItems,
  { owner, ...how }: WriteOptions,
): Promise<void> {
  const { operation, root } = task;
  const { chmod, destination, parents } = operation;
  await applyCopy({
    ...how,
    root,
    tree,
    items,
    destination,
    parents,
    owner: task.owner ?? (owner === 'root' ? { uid: 0, gid: 0 } : 'keep'),
    madeMode: madeDirectoryMode(chmod),
    ...(task.owner && { madeOwner: task.owner }),
    followDestination: true,
    syscalls: task.deps.syscalls(),
    ...(chmod === undefined ? {} : { chmod: parseChmod(chmod) }),
    ...(task.deps.mtime === undefined ? {} : { mtime: task.deps.mtime }),
  });
}

async function all(tree: SourceTree, name: string): Promise<CopyItems> {
  return placeNodes(await tree.list(name), { source: 0, target: (path) => path });
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
