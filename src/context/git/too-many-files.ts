import { GIT_FILES } from '../../core/network-limits.ts';
import type { Git } from './git.ts';

/** What `ls-tree` writes for each file: a letter and the end of the line. */
const ROW = '.';

/**
 * How many files a commit has. It stops counting where there are more than are checked out: trees that name each other make
 * ten billion of a hundred objects, whose names a checkout would hold in memory. A git without `--format` (before 2.36)
 * counts nothing.
 * @param directory of the repository
 * @param most files that are too few to be too many
 * @returns more than `most` when there are more
 */
export async function countFiles(
  git: Pick<Git, 'run'>,
  directory: string,
  commit: string,
  { signal, most }: { readonly signal?: AbortSignal | undefined; readonly most: number },
): Promise<number> {
  const { stdout } = await git.run(['-C', directory, 'ls-tree', '-r', `--format=${ROW}`, commit], {
    mostOutput: most * (ROW.length + 1),
    ...(signal === undefined ? {} : { signal }),
  });
  return stdout.length / (ROW.length + 1);
}

/** Counts the files of a repository and its submodules, before they are checked out. */
export interface FileCount {
  /** Whether all that was asked for so far has too many files, the commit that is asked for now among it. */
  exceeds(directory: string, commit: string): Promise<boolean>;
}

/** @param most files of all; GIT_FILES when left out */
export function createFileCount(
  git: Pick<Git, 'run'>,
  { signal, most = GIT_FILES }: { readonly signal?: AbortSignal | undefined; readonly most?: number } = {},
): FileCount {
  let left = most;
  return {
    exceeds: async (directory, commit) => {
      const files = await countFiles(git, directory, commit, { signal, most: left });
      const exceeds = files > left;
      if (!exceeds) left -= files;
      return exceeds;
    },
  };
}
