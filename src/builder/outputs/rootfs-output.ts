import { existsSync, mkdirSync, mkdtempSync, renameSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { listNames } from '../../core/list-names.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import { tooLong } from '../../core/too-long.ts';
import type { LayerBlob } from '../../layer/types.ts';
import type { ExtractRequest } from '../../rootfs/types.ts';
import { makeFreshDirectory } from '../../sys/fresh-directory.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Syscalls } from '../../sys/types.ts';

/**
 * Refuses a directory that holds anything, before the build spends its time; a root file system is only ever written
 * into a directory that is ours.
 * @throws AppError UNSAFE, OUTPUT
 */
export function checkRootfsTarget(path: string): void {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) {
    throw new AppError('OUTPUT', `the output ${path} exists and is not a directory`, { where: { path } });
  }
  if (listNames(path).length === 0) return;
  throw new AppError(
    'UNSAFE',
    `the output directory ${path} is not empty, and nothing in it will be overwritten`,
    {
      where: { path },
      hint: 'name a new directory, or empty this one yourself',
    },
  );
}

/**
 * Writes the layers' union into a new directory; what was half-written is removed on failure. A directory that is not there
 * yet comes with all that is in it: it is filled beside its place, below a directory that tells ext4 to take a part of the
 * disk where no earlier output was deleted in the last minutes.
 */
export async function writeRootfs(
  path: string,
  layers: readonly LayerBlob[],
  deps: {
    readonly extract: (request: ExtractRequest) => Promise<unknown>;
    readonly syscalls: Pick<Syscalls, 'spreadDirectories'>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  checkRootfsTarget(path);
  const existed = existsSync(path);
  let beside: string | undefined;
  try {
    let target = path;
    if (!existed) {
      const above = dirname(resolve(path));
      makeDirectories(above);
      beside = mkdtempSync(join(above, '.envbuilder-output-'));
      deps.syscalls.spreadDirectories(beside);
      target = join(makeFreshDirectory(beside, 'tree-'), 'root');
      mkdirSync(target);
    }
    await deps.extract({
      layers,
      target,
      privileged: process.getuid?.() === 0,
      emit: deps.emit,
      signal: deps.signal,
    });
    if (target !== path) renameSync(target, path);
  } catch (error) {
    removeRootfs(path, existed);
    const long = error instanceof AppError ? tooLong(error.cause) : undefined;
    if (long !== undefined)
      throw new AppError('OUTPUT', `cannot write the root file system to ${path}: ${long}`, {
        where: { path },
        hint: 'name a directory with a shorter path',
        cause: error,
      });
    throw namingOutput(path, toAppError(error, 'OUTPUT', `cannot write the root file system to ${path}`));
  } finally {
    if (beside !== undefined) removeTree(beside);
  }
}

/** Takes back what writeRootfs has written. @param existed whether the directory itself is to stay */
export function removeRootfs(path: string, existed: boolean): void {
  if (!existsSync(path)) return;
  for (const name of listNames(path)) removeTree(`${path}/${name}`);
  if (!existed) removeTree(path);
}

/** A full disk as one of an output, whatever was being read when it was full; other errors as they are. */
export function namingOutput(path: string, error: AppError): AppError {
  if (error.code !== 'DISK_FULL') return error;
  return new AppError('DISK_FULL', `cannot write the output ${path}: no space left on device`, {
    where: { path },
    hint: 'free some space, or name an output on a larger file system',
    cause: error,
  });
}
