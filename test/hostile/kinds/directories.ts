import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind, Place } from '../types.ts';
import { notFiles } from './not-files.ts';

/** Changes a directory that an honest program has filled. */
export type DirectoryInput = (dir: string, place: Place) => void;

/** Which files of such a directory: all whose path matches. */
const victims: Readonly<Record<string, RegExp>> = {
  all: /./,
  manifests: /(?:\.json|index\.json|oci-layout)$|current\/link$/,
  blobs: /(?:\/data|blobs\/sha256\/[0-9a-f]+|^sha256:[0-9a-f]{64})$/,
  links: /link$/,
};

/** Everything in a cache directory as what it is not. */
export const directories: readonly Kind<DirectoryInput>[] = [
  { name: 'honest', must: 'build', make: () => () => {} },
  ...Object.entries(victims).flatMap(([which, pattern]) =>
    notFiles.map(
      (what): Kind<DirectoryInput> => ({
        name: `${which}-are-${what.name}`,
        must: 'either',
        make: () => (dir, place) => {
          for (const path of filesOf(dir)) if (pattern.test(path)) what.put(join(dir, path), place);
        },
      }),
    ),
  ),
  ...notFiles
    .filter(({ name }) => !['empty', 'noise', 'long-line'].includes(name))
    .map(
      (what): Kind<DirectoryInput> => ({
        name: `itself-is-${what.name}`,
        must: 'either',
        make: () => (dir, place) => what.put(dir, place),
      }),
    ),
  ...[
    'docker',
    'docker/registry/v2',
    'docker/registry/v2/blobs',
    'docker/registry/v2/repositories/local/cache',
    'blobs',
    'blobs/sha256',
  ].flatMap((path) =>
    notFiles
      .filter(({ name }) => name.startsWith('link-canary') || name === 'link-self' || name === 'fifo')
      .map(
        (what): Kind<DirectoryInput> => ({
          name: `${path.replaceAll('/', '-')}-is-${what.name}`,
          must: 'either',
          make: () => (dir, place) => what.put(join(dir, path), place),
        }),
      ),
  ),
];

function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}
