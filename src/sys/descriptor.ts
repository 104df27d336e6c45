import { readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { decodePath } from '../core/path-bytes.ts';

/** Of open(2); node:fs does not name it. */
export const O_PATH = 0o10000000;

const REASONS = {
  EXDEV: 'it leads out of the directory that it has to stay in',
  ELOOP: 'there are too many links, or one where none may be',
  EINVAL: 'this path names no entry',
  ENAMETOOLONG: 'the path is too long',
  ENOTDIR: 'a part of the path is not a directory',
  EBUSY: 'it is in use',
  EEXIST: 'it exists already',
  EISDIR: 'it is a directory, not a file',
  ENOTREG: 'it is not a regular file',
  EFBIG: 'it is too large',
} as const;

/** An error as node:fs throws it, with a reason in words. */
export function pathError(
  code: keyof typeof REASONS,
  path: string,
  reason: string = REASONS[code],
): NodeJS.ErrnoException {
  // As node:fs has it; what is no code of the kernel has that of a wrong argument.
  const errno = -((constants.errno as Readonly<Record<string, number>>)[code] ?? constants.errno.EINVAL);
  return Object.assign(new Error(`${code}: ${reason}, '${path}'`), { code, errno, path });
}

/** Where something is that was opened, as the kernel has it now. */
export function pathOfFd(fd: number): string {
  return decodePath(readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }));
}
