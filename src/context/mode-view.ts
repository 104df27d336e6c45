import { lstatSync } from 'node:fs';
import { fsPath } from '../core/path-bytes.ts';
import type { TreeNodeType } from './types.ts';

/** How the modes of a context's files are taken, where that is not as they are on the disk. */
export interface ModeView {
  /** Part of what is remembered of trees. */
  readonly name: 'checkout' | 'without-set-gid';
  readonly mode: (mode: number, type: TreeNodeType) => number;
}

const SET_GID = 0o2000;
const OWNER_EXECUTES = 0o100;

/** Of modes git keeps one bit alone, whether a file can be executed; the others come from the machine that checked it out. */
const CHECKOUT: ModeView = {
  name: 'checkout',
  mode: (mode, type) => {
    if (type === 'dir') return 0o755;
    return type === 'file' ? ((mode & OWNER_EXECUTES) === 0 ? 0o644 : 0o755) : mode;
  },
};

/** A directory inherits the bit from the one that it is made in, up to the root of a volume (inode(7), S_ISGID). */
const WITHOUT_SET_GID: ModeView = {
  name: 'without-set-gid',
  mode: (mode, type) => (type === 'dir' ? mode & ~SET_GID : mode),
};

/**
 * How the modes below a directory are taken (docs/adr/0058): those of a checkout as git has them; without the set-gid bit of
 * directories where the directory itself has it, too. Undefined where they are taken as they are.
 * @param checkout a folder that git has checked out, for which nobody else chose modes
 */
export function modeView(directory: string, checkout: string | undefined): ModeView | undefined {
  if (checkout !== undefined && (directory === checkout || directory.startsWith(`${checkout}/`)))
    return CHECKOUT;
  const stat = lstatSync(fsPath(directory), { throwIfNoEntry: false });
  return stat?.isDirectory() && (stat.mode & SET_GID) !== 0 ? WITHOUT_SET_GID : undefined;
}
