import * as fs from 'node:fs';
import { join } from 'node:path';
import { AppError, toAppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';

/**
 * Checks that a directory can be the root of CNCF Distribution's layout: absent, empty or laid out so. Nothing is written.
 * @throws AppError CACHE_DIR, with a hint that names a way out
 */
export function checkDirectory(root: string): void {
  const names = list(root);
  if (names === undefined) return;
  const others = names.filter((name) => name !== 'lost+found' && !name.startsWith('.'));
  if (others.length === 0 || fs.existsSync(join(root, 'docker'))) return;
  throw new AppError('CACHE_DIR', `${root} is not a layer cache: it holds ${describe(root, others)}`, {
    hint: /\/docker(\/registry(\/v2)?)?\/?$/.test(root)
      ? `name ${root.replace(/\/docker(\/registry(\/v2)?)?\/?$/, '') || '/'} instead`
      : 'name an empty directory, or one that docker-registry or envbuilder made',
    where: { path: root },
  });
}

/**
 * Makes the root of a cache that is to be written to, or fails before any work is done for it. One that can only be read
 * will do where it holds a cache.
 * @throws AppError CACHE_DIR, DISK_FULL
 */
export function prepareDirectory(root: string): void {
  checkDirectory(root);
  try {
    makeDirectories(root);
    if (!fs.existsSync(join(root, 'docker'))) fs.accessSync(root, fs.constants.W_OK);
  } catch (error) {
    throw directoryError(error, root);
  }
}

/** An error of the file system as one about the cache directory; a full disk and AppErrors stay what they are. */
export function directoryError(thrown: unknown, root: string): unknown {
  if (typeof (thrown as NodeJS.ErrnoException).errno !== 'number') return thrown;
  return toAppError(thrown, 'CACHE_DIR', `cannot use ${root} as layer cache`, {
    where: { path: root },
    ...hintFor(thrown),
  });
}

function list(root: string): readonly string[] | undefined {
  try {
    return fs.statSync(root).isDirectory() ? fs.readdirSync(root) : notDirectory(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw directoryError(error, root);
  }
}

function notDirectory(root: string): never {
  throw new AppError('CACHE_DIR', `${root} is not a directory`, {
    hint: 'name a directory',
    where: { path: root },
  });
}

function describe(root: string, names: readonly string[]): string {
  if (names.includes('oci-layout')) return 'an OCI image layout';
  if (names.some((name) => /^sha256:[0-9a-f]{64}$/.test(name))) return 'base images that a warmer stored';
  if (names.includes('blobs') && names.includes('repositories')) return 'the inside of a registry directory';
  return `other files ("${names[0]}"${names.length > 1 ? ` and ${names.length - 1} more in ${root}` : ''})`;
}

function hintFor(thrown: unknown): { hint?: string } {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === 'EROFS')
    return { hint: 'the file system is mounted read-only: mount it writable, or leave the cache out' };
  if (code === 'EACCES' || code === 'EPERM')
    return { hint: 'make the directory writable for the user that envbuilder runs as' };
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return { hint: 'a part of the path is a file: name another directory' };
  return {};
}
