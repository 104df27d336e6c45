import { capture } from '../../scripts/lib/shell.ts';
import { flatten } from './flatten.ts';
import type { Tree } from './tree.ts';

/** Describes a directory on disk as it is, read by GNU tar: an independent view of links, owners and attributes. */
export async function describeDirectory(dir: string, madeAfter: number): Promise<Tree> {
  const { code, stdout, stderr } = await capture('tar', [
    '--format=posix',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '--one-file-system',
    '--pax-option=delete=atime,delete=ctime',
    `--directory=${dir}`,
    '-cf',
    '-',
    '.',
  ]);
  if (code !== 0) throw new Error(`tar of ${dir}: ${stderr}`);
  return flatten([stdout], madeAfter).tree;
}
