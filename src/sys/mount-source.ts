import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { fsPath } from '../core/path-bytes.ts';
import { type OpenBeneath, withBeneath } from './beneath.ts';
import { O_PATH, pathError, pathOfFd } from './descriptor.ts';
import type { RunMount } from './types.ts';

type BindMount = Extract<RunMount, { type: 'bind' }>;

/**
 * Opens what a bind mount shows, so that it is mounted or looked at as it was found.
 * @param use gets a descriptor of O_PATH, which is never one of a link
 * @throws Error as node:fs does: ENOENT where nothing is; ELOOP for a link
 */
export function withMountSource<T>(
  openBeneath: OpenBeneath,
  { source, within }: BindMount,
  use: (fd: number) => T,
): T {
  const fd =
    within === undefined
      ? openSync(fsPath(source), O_PATH | constants.O_NOFOLLOW)
      : withBeneath(openBeneath, within, (directory) => directory.open(source, O_PATH));
  try {
    if (fstatSync(fd).isSymbolicLink()) throw pathError('ELOOP', source);
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** The host path of what a bind mount shows, without links. @throws Error as withMountSource */
export function mountSourcePath(openBeneath: OpenBeneath, mount: BindMount): string {
  return withMountSource(openBeneath, mount, pathOfFd);
}
