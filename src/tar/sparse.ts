import { AppError } from '../core/error.ts';
import type { ByteBody, ByteSource } from './byte-source.ts';
import { BLOCK, number, type RawHeader } from './header.ts';
import type { PaxRecords } from './pax.ts';

/** Where the stored bytes of a sparse file belong; all else is zeros (GNU tar manual, "Storing Sparse Files"). */
export interface SparseMap {
  readonly size: number;
  readonly segments: readonly (readonly [offset: number, length: number])[];
  /** The file's own name, where the header has only a stand-in. */
  readonly name?: Buffer;
}

const ZEROS = Buffer.alloc(1024 * 1024);
const MOST_SEGMENTS = 10_000_000;

/** The sparse map of an entry in any of GNU's formats (old, 0.0, 0.1, 1.0); undefined for an ordinary file. */
export async function parseSparse(
  header: RawHeader,
  records: PaxRecords,
  body: ByteBody,
  source: ByteSource,
  what: string,
): Promise<SparseMap | undefined> {
  if (header.flag === 'S') return oldFormat(header, source, what);
  const get = (key: string): string | undefined => records.get(`GNU.sparse.${key}`)?.toString('latin1');
  const name = records.get('GNU.sparse.name');
  const named = name ? { name } : {};
  if (get('major') === '1') {
    return { ...(await format1(Number(get('realsize')), body, what)), ...named };
  }
  const map = get('map');
  if (map === undefined) return undefined;
  const numbers = map === '' ? [] : map.split(',').map(Number);
  return { ...checked(Number(get('size') ?? get('realsize')), pairs(numbers), what), ...named };
}

async function oldFormat(header: RawHeader, source: ByteSource, what: string): Promise<SparseMap> {
  const { block } = header;
  const found: [number, number][] = [];
  const collect = (from: Buffer, at: number, count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const offset = number(from, at + i * 24, 12, what);
      const length = number(from, at + i * 24 + 12, 12, what);
      if (length > 0) found.push([offset, length]);
    }
  };
  collect(block, 386, 4);
  const size = number(block, 483, 12, what);
  let extended = block[482] !== 0;
  while (extended) {
    const more = await source.read(BLOCK);
    collect(more, 0, 21);
    extended = more[504] !== 0;
    if (found.length > MOST_SEGMENTS) throw malformed(what);
  }
  return checked(size, found, what);
}

/** Format 1.0: the map stands before the data, as decimal lines padded to a block. */
async function format1(size: number, body: ByteBody, what: string): Promise<SparseMap> {
  let text = '';
  const numbers: number[] = [];
  let wanted = 1;
  while (numbers.length < wanted) {
    text += (await body.read(BLOCK)).toString('latin1');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines)
      if (numbers.length < wanted) {
        numbers.push(Number(line));
        if (numbers.length === 1) wanted = 1 + 2 * (numbers[0] ?? 0);
      }
    if (!(wanted <= 2 * MOST_SEGMENTS)) throw malformed(what);
  }
  return checked(size, pairs(numbers.slice(1)), what);
}

function pairs(numbers: readonly number[]): [number, number][] {
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, i) => [
    numbers[2 * i]!,
    numbers[2 * i + 1]!,
  ]);
}

function checked(size: number, segments: readonly (readonly [number, number])[], what: string): SparseMap {
  let end = 0;
  for (const [offset, length] of segments) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < end || length < 0)
      throw malformed(what);
    end = offset + length;
  }
  if (!Number.isSafeInteger(size) || end > size) throw malformed(what);
  return { size, segments };
}

/** The full content of a sparse file: zeros between the stored segments. */
export async function* sparseContent(map: SparseMap, body: ByteBody): AsyncGenerator<Buffer> {
  let at = 0;
  for (const [offset, length] of map.segments) {
    yield* zeros(offset - at);
    for (let left = length; left > 0; ) {
      const part = await body.read(Math.min(left, 64 * 1024));
      left -= part.length;
      yield part;
    }
    at = offset + length;
  }
  yield* zeros(map.size - at);
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= ZEROS.length)
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

function malformed(what: string): AppError {
  return new AppError('CORRUPT', `${what} has a malformed sparse file`);
}
