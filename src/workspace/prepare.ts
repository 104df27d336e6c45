import { lstatSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createGit } from '../context/git/git.ts';
import { digestOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { removeTree } from '../sys/remove-tree.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { cloneInto, headOf } from './clone.ts';
import { moveTree } from './move-tree.ts';
import { openStaging, STAGING_NAME } from './staging.ts';
import type { CloneRequest, Workspace, WorkspaceDeps, WorkspaceRequest } from './types.ts';

/**
 * Makes the workspace folder, and clones the repository into it unless there is a clone already, which is left as it is.
 * Files that the folder has stay as they are, beside the clone. A clone that was interrupted at any moment leaves nothing
 * that the next call takes for a clone.
 * @throws AppError WORKSPACE, AUTH, USAGE, DISK_FULL
 */
export async function prepareWorkspace(
  { folder, clone }: WorkspaceRequest,
  deps: WorkspaceDeps,
): Promise<Workspace> {
  try {
    makeDirectories(folder);
    if (isClone(folder)) {
      await removeStaging(folder, deps.signal);
      return { folder, state: 'found', ...(await commitOf(folder, clone, deps)) };
    }
    if (clone === undefined) return { folder, state: 'empty' };
    return await cloneNew(folder, clone, deps);
  } catch (error) {
    if (deps.signal.aborted) throw error;
    throw toAppError(error, 'WORKSPACE', `cannot prepare the workspace ${folder}`, {
      where: { path: folder },
    });
  }
}

/** A clone that nobody works in. */
export interface BuildClone {
  readonly folder: string;
  close(): void;
}

/**
 * Makes a fresh clone of a single commit, for a build that must not see what the user has in the workspace.
 * @param parent where a directory for it is made; what an earlier call left there is removed
 * @throws AppError WORKSPACE, AUTH, USAGE, DISK_FULL
 */
export async function cloneForBuild(
  clone: CloneRequest,
  parent: string,
  deps: WorkspaceDeps,
): Promise<BuildClone> {
  try {
    makeDirectories(parent, 0o700);
    for (const name of readdirSync(parent)) if (name.startsWith(BUILD_CLONE)) removeTree(join(parent, name));
    createSyscalls().spreadDirectories(parent);
    const made = mkdtempSync(join(parent, BUILD_CLONE));
    const close = (): void => void removeTree(made);
    try {
      const folder = join(made, 'tree');
      await cloneInto(folder, { ...clone, depth: 1, singleBranch: true }, deps);
      return { folder, close };
    } catch (error) {
      close();
      throw error;
    }
  } catch (error) {
    if (deps.signal.aborted) throw error;
    throw toAppError(error, 'WORKSPACE', 'cannot clone the repository for the build', {
      where: { path: parent },
    });
  }
}

const BUILD_CLONE = 'build-clone-';

/** Whether a folder holds a clone: a repository in `.git`, or a file that points to one. An empty `.git` is none. */
function isClone(folder: string): boolean {
  try {
    return statSync(join(folder, '.git')).isFile() || lstatSync(join(folder, '.git', 'HEAD')) !== undefined;
  } catch {
    // Nothing, links in a circle, or something that nothing can be in.
    return false;
  }
}

async function commitOf(
  folder: string,
  clone: CloneRequest | undefined,
  { signal, emit }: WorkspaceDeps,
): Promise<{ readonly commit?: string }> {
  if (clone === undefined) return {};
  const git = createGit({ ...clone.git, ssh: { knownHosts: [] } });
  try {
    const commit = await headOf(git, folder, signal);
    emit({
      type: 'message',
      level: 'info',
      text: `there is a clone in ${folder} already${commit === undefined ? '' : `, at ${commit}`}; it is left as it is`,
    });
    return commit === undefined ? {} : { commit };
  } finally {
    git.close();
  }
}

async function cloneNew(folder: string, clone: CloneRequest, deps: WorkspaceDeps): Promise<Workspace> {
  const before = readdirSync(folder).filter((name) => name !== STAGING_NAME && name !== 'lost+found');
  const staging = await openStaging(folder, createSyscalls(), deps.signal);
  try {
    if (isClone(folder)) return { folder, state: 'found', ...(await commitOf(folder, clone, deps)) };
    const { url, depth, singleBranch, submodules } = clone;
    // The address may contain a password: only its digest is written.
    const key = digestOf(JSON.stringify([url, depth, singleBranch, submodules]));
    if (!staging.isComplete(key)) {
      staging.clear();
      await cloneInto(staging.tree, clone, deps, staging.lock);
      staging.markComplete(key);
    }
    const kept = moveTree(staging.tree, folder);
    if (before.length > 0 && kept.length > 0) warnOfKept(folder, kept, deps);
  } finally {
    staging.close();
  }
  if (!isClone(folder)) throw new AppError('WORKSPACE', `the clone in ${folder} has vanished`);
  return { folder, state: 'cloned', ...(await commitOf(folder, clone, { ...deps, emit: () => {} })) };
}

/** An earlier start may have been ended after its last step but one. */
async function removeStaging(folder: string, signal: AbortSignal): Promise<void> {
  if (lstatSync(join(folder, STAGING_NAME), { throwIfNoEntry: false }) === undefined) return;
  (await openStaging(folder, createSyscalls(), signal)).close();
}

function warnOfKept(folder: string, kept: readonly string[], { emit }: WorkspaceDeps): void {
  const shown = kept.slice(0, 5).join(', ');
  const more = kept.length > 5 ? ` and ${kept.length - 5} more` : '';
  emit({
    type: 'warning',
    code: 'WORKSPACE',
    text: `${folder} had files that differ from the repository's, and they are kept: ${shown}${more}`,
    hint: 'git status in the workspace shows them; git checkout -- FILE takes that of the repository',
  });
}
