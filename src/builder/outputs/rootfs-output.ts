import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { AppError, toAppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import type { LayerBlob } from '../../layer/types.ts';
import type { ExtractRequest } from '../../rootfs/types.ts';

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
  if (readdirSync(path).length === 0) return;
  throw new AppError(
    'UNSAFE',
    `the output directory ${path} is not empty, and nothing in it will be overwritten`,
    {
      where: { path },
      hint: 'name a new directory, or empty this one yourself',
    },
  );
}

/** Writes the layers' union into a new directory; what was half-written is removed on failure. */
export async function writeRootfs(
  path: string,
  layers: readonly LayerBlob[],
  deps: {
    readonly extract: (request: ExtractRequest) => Promise<unknown>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  checkRootfsTarget(path);
  const existed = existsSync(path);
  try {
    makeDirectories(path);
    await deps.extract({
      layers,
      target: path,
      privileged: process.getuid?.() === 0,
      emit: deps.emit,
      signal: deps.signal,
    });
  } catch (error) {
    removeRootfs(path, existed);
    throw toAppError(error, 'OUTPUT', `cannot write the root file system to ${path}`);
  }
}

/** Takes back what writeRootfs has written. @param existed whether the directory itself is to stay */
export function removeRootfs(path: string, existed: boolean): void {
  for (const name of existsSync(path) ? readdirSync(path) : [])
    rmSync(`${path}/${name}`, { recursive: true, force: true });
  if (!existed) rmSync(path, { recursive: true, force: true });
}
