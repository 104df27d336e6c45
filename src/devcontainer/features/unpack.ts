import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../../core/error.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { readLayer } from '../../layer/read-layer.ts';
import type { LayerEntry } from '../../tar/types.ts';

/** Features are scripts with a few files; what is larger is a mistake or an attack. */
const UNPACK_LIMITS = { bytes: 1024 * 1024 * 1024, entries: 50_000 } as const;

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
  for await (const { entry, content } of readLayer(stream, '', what)) {
    count.entries += 1;
    count.bytes += entry.size;
    checkLimits(count, limits, what);
    if (entry.path !== '') await unpackEntry(entry, content, target, what);
  }
}

/** The content of one file in the archive of a feature; undefined when it has no such file. */
export async function readFromFeature(
  stream: Readable,
  name: string,
  what: string,
  limits: Limits = UNPACK_LIMITS,
): Promise<Buffer | undefined> {
  const count = { bytes: 0, entries: 0 };
  let found: Buffer | undefined;
  for await (const { entry, content } of readLayer(stream, '', what)) {
    count.entries += 1;
    count.bytes += entry.size;
    checkLimits(count, limits, what);
    if (entry.path === name && entry.type === 'file') found = Buffer.concat(await Array.fromAsync(content));
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

async function unpackEntry(
  entry: LayerEntry,
  content: AsyncIterable<Buffer>,
  target: string,
  what: string,
): Promise<void> {
  const { path } = entry;
  const at = posix.join(target, path);
  realParents(target, path, what);
  const existing = lstatSync(fsPath(at), { throwIfNoEntry: false });
  if (existing && !(entry.type === 'dir' && existing.isDirectory())) rmSync(fsPath(at), { recursive: true });
  switch (entry.type) {
    case 'dir':
      if (!existing?.isDirectory()) mkdirSync(fsPath(at), { mode: 0o755 });
      return;
    case 'symlink':
      if (posix.isAbsolute(entry.linkname) || leaves(posix.join(posix.dirname(path), entry.linkname)))
        throw refused(what, `the link "${path}" to "${entry.linkname}", which is outside`);
      symlinkSync(fsPath(entry.linkname), fsPath(at));
      return;
    case 'hardlink': {
      realParents(target, entry.linkname, what);
      const first = posix.join(target, entry.linkname);
      if (lstatSync(fsPath(first), { throwIfNoEntry: false })?.isFile() !== true)
        throw refused(what, `the hard link "${path}" to "${entry.linkname}", which is no file in it`);
      linkSync(fsPath(first), fsPath(at));
      return;
    }
    case 'file':
      await writeFile(at, content);
      chmodSync(fsPath(at), entry.mode & 0o777);
      return;
    default:
      throw refused(what, `the device or pipe "${path}"`);
  }
}

function leaves(path: string): boolean {
  const clean = posix.normalize(path);
  return clean === '..' || clean.startsWith('../');
}

/** Makes missing parents; one that is not a directory of its own is refused, since a link could lead anywhere. */
function realParents(target: string, path: string, what: string): void {
  let at = target;
  for (const part of path.split('/').slice(0, -1)) {
    at = posix.join(at, part);
    const stat = lstatSync(fsPath(at), { throwIfNoEntry: false });
    if (!stat) mkdirSync(fsPath(at), { mode: 0o755 });
    else if (!stat.isDirectory()) throw refused(what, `"${path}" below something that is not a directory`);
  }
}

async function writeFile(path: string, content: AsyncIterable<Buffer>): Promise<void> {
  const fd = openSync(fsPath(path), 'wx', 0o600);
  try {
    for await (const chunk of content) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
  } finally {
    closeSync(fd);
  }
}

function refused(what: string, thing: string): AppError {
  return new AppError('CORRUPT', `${what} holds ${thing}; nothing of it is used`, {
    hint: 'do not trust this feature; report it to its author',
  });
}
