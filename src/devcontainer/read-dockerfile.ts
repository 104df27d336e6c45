import { readDefinition } from '../context/repository.ts';
import { AppError, toAppError, type Where } from '../core/error.ts';

/** The text of a Dockerfile. @throws AppError DEVCONTAINER, OUTSIDE at the place that names the file */
export function readDockerfile(
  path: string,
  {
    roots,
    property,
    where,
  }: { readonly roots: readonly string[]; readonly property: string; readonly where: Where },
): string {
  try {
    return readDefinition(path, roots, { property, where, by: 'definition' }).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw toAppError(error, 'DEVCONTAINER', `cannot read the Dockerfile ${path}`, { where });
    }
    throw new AppError('DEVCONTAINER', `there is no Dockerfile at ${path}`, {
      where,
      hint: 'the path is relative to the folder of devcontainer.json',
    });
  }
}
