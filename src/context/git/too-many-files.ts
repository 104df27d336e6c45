import { GIT_FILES } from '../../core/network-limits.ts';
import type { Git } from './git.ts';

/** What `ls-tree` writes for each file: a letter and the end of the line. */
const ROW = '.';

/**
 * Whether a commit has more files than are checked out. It stops counting then: trees that name each other make ten billion
 * of a hundred objects, whose names a checkout would hold in memory. A git without `--format` (before 2.36) counts nothing.
 * @param directory of the repository
 * @param most files that are too few to be too many; GIT_FILES when left out
 */
export async function hasTooManyFiles(
  git: Pick<Git, 'run'>,
  directory: string,
  commit: string,
  { signal, most = GIT_FILES }: { readonly signal?: AbortSignal | undefined; readonly most?: number } = {},
): Promise<boolean> {
  const mostOutput = most * (ROW.length + 1);
  const { stdout } = await git.run(['-C', directory, 'ls-tree', '-r', `--format=${ROW}`, commit], {
    mostOutput,
    ...(signal === undefined ? {} : { signal }),
  });
  return stdout.length > mostOutput;
}
