import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { unpackEntries } from '../../context/unpack.ts';
import { AppError } from '../../core/error.ts';
import { hinted } from '../../core/hinted.ts';
import { readLayer } from '../../layer/read-layer.ts';
import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import { sharedSyscalls } from '../../sys/syscalls.ts';
import type { LayerEntry } from '../../tar/types.ts';

/** Features are scripts with a few files; what is larger is a mistake or an attack. */
export const UNPACK_LIMITS = { bytes: 1024 * 1024 * 1024, entries: 50_000 } as const;

/** Most bytes of devcontainer-feature.json. */
export const LARGEST_METADATA = 4 * 1024 * 1024;

const DAMAGED_HINT = 'use another version of the feature, or report it to its author';

type Limits = Readonly<Record<keyof typeof UNPACK_LIMITS, number>>;

/**
 * Unpacks the archive of a feature into an empty directory. Owners, times and attributes are left out; nothing leaves the
 * directory, neither while it is unpacked nor through a link afterwards.
 * @param what names the archive in errors
 * @throws AppError CORRUPT for anything but files, directories and links within it, and for more than the limits
 */
export async function unpackFeature(
  stream: Readable,
  target: string,
  what: string,
  limits: Limits = UNPACK_LIMITS,
): Promise<void> {
  const count = { bytes: 0, entries: 0 };
  const links: string[] = [];
  const check = (entry: LayerEntry): void => {
    count.entries += 1;
    count.bytes += entry.size;
    checkLimits(count, limits, what);
    checkEntry(entry, what);
    if (entry.type === 'symlink') links.push(entry.path);
  };
  await hinted('CORRUPT', DAMAGED_HINT, () =>
    unpackEntries(readLayer(stream, '', what), target, { what, check }),
  );
  checkLinks(target, links, what);
}

/** The content of one file in the archive of a feature; undefined when it has no such file. */
export function readFromFeature(
  stream: Readable,
  name: string,
  what: string,
  limits: Limits = UNPACK_LIMITS,
): Promise<Buffer | undefined> {
  return hinted('CORRUPT', DAMAGED_HINT, () => findInFeature(stream, name, what, limits));
}

async function findInFeature(
  stream: Readable,
  name: string,
  what: string,
  limits: Limits,
): Promise<Buffer | undefined> {
  const count = { bytes: 0, entries: 0 };
  let found: Buffer | undefined;
  for await (const { entry, content } of readLayer(stream, '', what)) {
    count.entries += 1;
    count.bytes += entry.size;
    checkLimits(count, limits, what);
    if (entry.path !== name || entry.type !== 'file') continue;
    if (entry.size > LARGEST_METADATA)
      throw new AppError('CORRUPT', `${what} holds a ${name} of more than ${LARGEST_METADATA} bytes`);
    found = Buffer.concat(await Array.fromAsync(content));
  }
  return found;
}

function checkLimits(count: Limits, limits: Limits, what: string): void {
  if (count.bytes <= limits.bytes && count.entries <= limits.entries) return;
  throw new AppError(
    'CORRUPT',
    `${what} is larger than a feature may be, ${limits.bytes} bytes and ${limits.entries} files`,
    { hint: 'have the install script download what is large' },
  );
}

/** Only what a feature may hold, and links that stay inside even by their text. */
function checkEntry({ path, type, linkname }: LayerEntry, what: string): void {
  if (type === 'char' || type === 'block' || type === 'fifo')
    throw refused(what, `the device or pipe "${path}"`);
  if (type === 'symlink' && leaves(path, linkname))
    throw refused(what, `the link "${path}" to "${linkname}", which is outside`);
}

function leaves(path: string, linkname: string): boolean {
  if (posix.isAbsolute(linkname)) return true;
  const clean = posix.join(posix.dirname(path), linkname);
  return clean === '..' || clean.startsWith('../');
}

/** A link that stays inside by its text may still lead out, by way of another one. */
function checkLinks(target: string, links: readonly string[], what: string): void {
  withBeneath(createBeneath(sharedSyscalls()), target, (directory) => {
    for (const path of links) {
      try {
        directory.stat(path, { links: 'beneath' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EXDEV')
          throw refused(what, `the link "${path}", which leads outside by way of others`);
      }
    }
  });
}

function refused(what: string, thing: string): AppError {
  return new AppError('CORRUPT', `${what} holds ${thing}; nothing of it is used`, {
    hint: 'do not trust this feature; report it to its author',
  });
}
