import { lstatSync, realpathSync, rmdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../core/make-directories.ts';
import { fsPath } from '../core/path-bytes.ts';

/**
 * Has a path lead to the workspace. What is there already stays, but an empty directory, such as WORKDIR makes.
 * @returns why that is not possible; undefined when the path leads there
 */
export function linkWorkspace(path: string, workspace: string): string | undefined {
  const place = fsPath(path);
  try {
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found?.isDirectory() || found?.isSymbolicLink()) {
      if (isSame(path, workspace)) return undefined;
      if (found.isSymbolicLink()) return `${path} is a link to somewhere else`;
      rmdirSync(place);
    } else if (found) return `${path} is no directory`;
    makeDirectories(dirname(path));
    symlinkSync(fsPath(workspace), place);
    return undefined;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return REASONS[code]?.(path) ?? message;
  }
}

/** A warning that the workspace is not where the dev container has it. */
export function notPlaced(folder: string, problem: string, workspace: string): string {
  return `workspaceFolder is ${folder}, but ${problem}; the workspace is in ${workspace}`;
}

const REASONS: Readonly<Record<string, (path: string) => string>> = {
  ENOTEMPTY: (path) => `${path} has files of its own`,
  EBUSY: (path) => `something is mounted at ${path}`,
  ENOTDIR: (path) => `${path} lies below a file`,
};

function isSame(path: string, workspace: string): boolean {
  try {
    return realpathSync(fsPath(path)) === realpathSync(fsPath(workspace));
  } catch {
    return false;
  }
}
