import { AppError } from '../core/error.ts';
import { decodePath } from '../core/path-bytes.ts';
import { type ByteSource, createByteSource } from './byte-source.ts';
import { BLOCK, cleanPath, padding, parseHeader, type RawHeader } from './header.ts';
import { applyPax, type PaxRecords, parsePax } from './pax.ts';
import { parseSparse, type SparseMap, sparseContent } from './sparse.ts';
import type { EntryType, LayerEntry } from './types.ts';

/** Bytes of a PAX or GNU extension: names and attributes, never content. */
const MOST_EXTENSION_BYTES = 16 * 1024 * 1024;

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  S: 'file',
};

/** An entry of a tar stream with its content, to be read before the next entry is asked for; what is left is skipped. */
export interface TarItem {
  readonly entry: LayerEntry;
  readonly content: AsyncIterable<Buffer>;
}

/**
 * Reads a tar stream in order: ustar, PAX, GNU long names, GNU and PAX sparse files (as their full content), base-256
 * numbers, devices, hard links.
 * @param what names the layer in errors
 * @throws AppError CORRUPT for anything that is not tar, is cut off, or leaves the root
 */
export async function* readTar(chunks: AsyncIterable<Buffer>, what: string): AsyncGenerator<TarItem> {
  const source = createByteSource(chunks, what);
  const global: PaxRecords = new Map();
  let local: PaxRecords = new Map();
  for (;;) {
    const block = await source.tryRead(BLOCK);
    const header = block && parseHeader(block, what);
    if (!header) return source.drain();
    if (header.flag === 'g' || header.flag === 'x') {
      parsePax(await extension(source, header, what), header.flag === 'g' ? global : local, what);
      continue;
    }
    if (header.flag === 'L' || header.flag === 'K') {
      const name = await extension(source, header, what);
      local.set(header.flag === 'L' ? 'path' : 'linkpath', name.subarray(0, nulAt(name)));
      continue;
    }
    const type = TYPES[header.flag];
    if (type === undefined) {
      await source.skip(header.size + padding(header.size));
      local = new Map();
      continue;
    }
    yield* item(source, header, type, new Map([...global, ...local]), what);
    local = new Map();
  }
}

async function* item(
  source: ByteSource,
  header: RawHeader,
  type: EntryType,
  records: PaxRecords,
  what: string,
): AsyncGenerator<TarItem> {
  const facts = applyPax(header, records, what);
  // Only files have content, though some writers give a size to links and directories (star, old GNU tar).
  const stored = type === 'file' ? facts.size : 0;
  const body = source.take(stored);
  const sparse: SparseMap | undefined =
    type === 'file' ? await parseSparse(header, records, body, source, what) : undefined;
  const directory = type === 'file' && header.flag !== '7' && facts.path.at(-1) === 0x2f;
  const entry: LayerEntry = {
    path: cleanPath(sparse?.name ?? facts.path, what),
    type: directory ? 'dir' : type,
    mode: header.mode,
    uid: facts.uid,
    gid: facts.gid,
    size: directory ? 0 : (sparse?.size ?? stored),
    mtime: facts.mtime,
    mtimeNsec: facts.mtimeNsec,
    linkname: linkName(type, facts.link, what),
    devmajor: header.devmajor,
    devminor: header.devminor,
    ...(facts.xattrs.size > 0 ? { xattrs: facts.xattrs } : {}),
  };
  yield { entry, content: sparse ? sparseContent(sparse, body) : body.chunks() };
  await body.skipRest();
  await source.skipPadding(padding(stored));
}

function linkName(type: EntryType, link: Buffer, what: string): string {
  if (type === 'hardlink') return cleanPath(link, what);
  if (type !== 'symlink') return '';
  const target = link.subarray(0, nulAt(link));
  return decodePath(target);
}

async function extension(source: ByteSource, header: RawHeader, what: string): Promise<Buffer> {
  if (header.size > MOST_EXTENSION_BYTES) {
    throw new AppError('CORRUPT', `${what} has a tar extension header of ${header.size} bytes`);
  }
  const bytes = await source.read(header.size);
  await source.skip(padding(header.size));
  return bytes;
}

function nulAt(bytes: Buffer): number {
  const at = bytes.indexOf(0);
  return at === -1 ? bytes.length : at;
}
