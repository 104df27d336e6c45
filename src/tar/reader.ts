import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { type ByteSource, createByteSource } from './byte-source.ts';
import { BLOCK, padding, parseHeader, type RawHeader } from './header.ts';
import { entryOf, RefusedEntry } from './item.ts';
import { type PaxRecords, parsePax } from './pax.ts';
import { parseSparse, sparseContent, storedOf } from './sparse.ts';
import type { EntryType, LayerEntry } from './types.ts';

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
  /** Holes of sparse files are zeros that `isHole` (sparse.ts) tells. */
  readonly content: AsyncIterable<Buffer>;
  /** Bytes of the content that are not in the archive: the holes of a sparse file. */
  readonly holes: number;
}

/** What stands before an entry's own header. */
interface Extensions {
  pax: PaxRecords | undefined;
  longName: Buffer | undefined;
  longLink: Buffer | undefined;
  /** Bytes of all of them, those that others replaced too. */
  bytes: number;
}

const none = (): Extensions => ({ pax: undefined, longName: undefined, longLink: undefined, bytes: 0 });

/**
 * Reads a tar stream in order: ustar, PAX, GNU long names, GNU and PAX sparse files (as their full content), base-256
 * numbers, devices, hard links. Where formats leave room, it reads what Go's archive/tar and with it Docker reads: a
 * global PAX header has no effect, of several headers of a kind the last one counts, and a GNU long name wins over PAX.
 * @param what names the layer in errors
 * @param onEnd called at the end of the archive, before what follows it is passed over
 * @throws AppError CORRUPT for anything that is not tar, is cut off, leaves the root, or goes beyond LIMITS
 */
export async function* readTar(
  chunks: AsyncIterable<Buffer>,
  what: string,
  onEnd = (): void => {},
): AsyncGenerator<TarItem> {
  const source = createByteSource(chunks, what);
  try {
    let before = none();
    for (;;) {
      const header = await nextHeader(source, what);
      if (!header) {
        onEnd();
        await source.drain();
        return;
      }
      if (header.flag === 'g') {
        await extension(source, header, none(), what);
        before = none();
      } else if (header.flag === 'x') {
        before.pax = new Map();
        parsePax(await extension(source, header, before, what), before.pax, what);
      } else if (header.flag === 'L' || header.flag === 'K') {
        const text = await extension(source, header, before, what);
        before[header.flag === 'L' ? 'longName' : 'longLink'] = text.subarray(0, nulAt(text));
      } else {
        yield* item(source, header, before, what);
        before = none();
      }
    }
  } finally {
    await source.close();
  }
}

/** The next header block; undefined at the end: two blocks of zeros, or nothing more. */
async function nextHeader(source: ByteSource, what: string): Promise<RawHeader | undefined> {
  const block = await source.tryRead(BLOCK);
  const header = block && parseHeader(block, what);
  if (header || !block) return header;
  const second = await source.tryRead(BLOCK);
  if (second && parseHeader(second, what)) {
    throw new AppError('CORRUPT', `${what} is not a tar archive: something follows a single block of zeros`);
  }
  return undefined;
}

async function* item(
  source: ByteSource,
  header: RawHeader,
  { pax, longName, longLink }: Extensions,
  what: string,
): AsyncGenerator<TarItem> {
  const type = TYPES[header.flag];
  if (type === undefined) {
    const flag = JSON.stringify(header.flag);
    throw new RefusedEntry('CORRUPT', `${what} has an entry of the unknown type ${flag}`);
  }
  const { entry, stored, records } = entryOf({ header, type, pax, longName, longLink }, what);
  const body = source.take(stored);
  const sparse = type === 'file' ? await parseSparse(header, records, body, source, what) : undefined;
  const content = sparse ? sparseContent(sparse, body) : body.chunks();
  const holes = sparse ? sparse.size - storedOf(sparse) : 0;
  yield { entry: sparse ? { ...entry, size: sparse.size } : entry, content, holes };
  await body.skipRest();
  await source.skipPadding(padding(stored));
}

async function extension(
  source: ByteSource,
  header: RawHeader,
  before: Extensions,
  what: string,
): Promise<Buffer> {
  const { size } = header;
  before.bytes += BLOCK + size;
  if (size > LIMITS.extension.most || before.bytes > LIMITS.extensions.most) {
    throw new AppError(
      'CORRUPT',
      `${what} has tar extension headers of ${before.bytes} bytes before an entry`,
    );
  }
  const bytes = await source.read(size);
  await source.skip(padding(size));
  return bytes;
}

function nulAt(bytes: Buffer): number {
  const at = bytes.indexOf(0);
  return at === -1 ? bytes.length : at;
}
