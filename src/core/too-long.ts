import { LIMITS } from './limits.ts';

/** Characters of a path that a message has from its beginning and from its end. */
const SHOWN = 48;

/**
 * What the kernel found too long, how long it is, and which limit that is beyond.
 * @param inside a directory with directories that are root file systems: a path below one is told as one of an image
 * @returns undefined for any other error
 */
export function tooLong(thrown: unknown, inside?: string): string | undefined {
  const { code, path: from, dest } = (thrown ?? {}) as NodeJS.ErrnoException & { readonly dest?: string };
  if (code !== 'ENAMETOOLONG') return undefined;
  const path = [from, dest].find((each) => each !== undefined && isTooLong(each));
  if (path === undefined) return `a path is longer than Linux takes: ${LIMITS.path.most} bytes (PATH_MAX)`;
  const name = longNameOf(path);
  if (name !== undefined)
    return `the name ${shown(name)} has ${Buffer.byteLength(name)} bytes, and a file system takes ${LIMITS.name.most} (NAME_MAX)`;
  const bytes = Buffer.byteLength(path);
  const own = inside === undefined || inside === '/' ? undefined : pathInImage(path, inside);
  if (own === undefined)
    return `the path ${shown(path)} has ${bytes} bytes, and Linux takes ${LIMITS.path.most} (PATH_MAX)`;
  const length = Buffer.byteLength(own);
  return `the path ${shown(own)} has ${length} bytes, and ${LIMITS.path.most - (bytes - length)} are left of the ${LIMITS.path.most} that Linux takes (PATH_MAX), for the image lies below a directory of ours`;
}

function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > LIMITS.path.most || longNameOf(path) !== undefined;
}

function longNameOf(path: string): string | undefined {
  return path.split('/').find((part) => Buffer.byteLength(part) > LIMITS.name.most);
}

function pathInImage(path: string, inside: string): string | undefined {
  if (!path.startsWith(`${inside}/`)) return undefined;
  const slash = path.indexOf('/', inside.length + 1);
  return slash < 0 ? undefined : path.slice(slash);
}

function shown(path: string): string {
  return JSON.stringify(path.length > 2 * SHOWN ? `${path.slice(0, SHOWN)}…${path.slice(-SHOWN)}` : path);
}
