import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import type { ByteBody, ByteSource } from './byte-source.ts';
import { BLOCK, number, type RawHeader } from './header.ts';
import type { PaxRecords } from './pax.ts';

/** Where the stored bytes of a sparse file belong; all else is zeros (GNU tar manual, "Storing Sparse Files"). */
export interface SparseMap {
  readonly size: number;
  /** Offset and length of one segment after the other. */
  readonly segments: readonly number[];
}

/** Taken from the kernel when it is first written to, which is never: reading it costs no memory. */
const ZEROS = Buffer.alloc(64 * 1024 * 1024);
const PIECE = 64 * 1024;
/** Of the old format: four segments and a flag. */
const HEADER_MAP_BYTES = 97;

/** Bytes of a sparse file that are stored. */
export function storedOf({ segments }: SparseMap): number {
  return segments.reduce((sum, value, index) => (index % 2 === 1 ? sum + value : sum), 0);
}

/** Whether a part of the content of a sparse file is a hole, which need not be written. */
export function isHole(part: Buffer): boolean {
  return part.buffer === ZEROS.buffer;
}

/**
 * The sparse map of an entry in any of GNU's formats (old, 0.0, 0.1, 1.0); undefined for an ordinary file, and for a
 * format of a version that is not known, as in Go's archive/tar.
 * @throws AppError CORRUPT for a map that is malformed, or larger than LIMITS
 */
export async function parseSparse(
  header: RawHeader,
  records: PaxRecords,
  body: ByteBody,
  source: ByteSource,
  what: string,
): Promise<SparseMap | undefined> {
  if (header.flag === 'S') return oldFormat(header, source, what);
  const get = (key: string): string | undefined => records.get(`GNU.sparse.${key}`)?.toString('latin1');
  const [major, minor, map] = [get('major'), get('minor'), get('map')];
  const size = (): number => decimal(get('size') ?? get('realsize'), what);
  if (major === '1' && minor === '0') return checked(size(), await format1(body, what), what);
  const format0 = major === '0' ? minor === '0' || minor === '1' : major === undefined && minor === undefined;
  if (!format0 || map === undefined) return undefined;
  const numbers = map === '' ? [] : map.split(',').map((text) => decimal(text, what));
  return checked(size(), numbers, what);
}

async function oldFormat(header: RawHeader, source: ByteSource, what: string): Promise<SparseMap> {
  if (!header.gnu) throw malformed(what);
  const { block } = header;
  const found: number[] = [];
  const collect = (from: Buffer, at: number, count: number): void => {
    for (let i = 0; i < count; i += 1) {
      // What GNU tar and Go take for the end of a block's segments.
      if (from[at + i * 24] === 0) return;
      found.push(number(from, at + i * 24, 12, what), number(from, at + i * 24 + 12, 12, what));
    }
  };
  collect(block, 386, 4);
  let extended = block[482] !== 0;
  for (let bytes = HEADER_MAP_BYTES; extended; bytes += BLOCK) {
    // Go counts so: the map as it stands, empty blocks too.
    if (bytes + BLOCK >= LIMITS.extension.most) throw tooLarge(what);
    const more = await source.read(BLOCK);
    collect(more, 0, 21);
    extended = more[504] !== 0;
  }
  return checked(number(block, 483, 12, what), found, what);
}

/** Format 1.0: the map stands before the data, as decimal lines padded to a block. */
async function format1(body: ByteBody, what: string): Promise<number[]> {
  const numbers: number[] = [];
  let rest = '';
  let bytes = 0;
  for (let wanted = 1; numbers.length < wanted; ) {
    bytes += BLOCK;
    if (bytes > LIMITS.extension.most) throw tooLarge(what);
    const lines = (rest + (await body.read(BLOCK)).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (numbers.length === wanted) break;
      numbers.push(decimal(line, what));
      if (numbers.length === 1) wanted = 1 + 2 * numbers[0]!;
    }
    // No number is longer than this, so that what is left never grows.
    if (numbers.length < wanted && rest.length > 20) throw malformed(what);
  }
  return numbers.slice(1);
}

function decimal(text: string | undefined, what: string): number {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) throw malformed(what);
  return Number(text);
}

function checked(size: number, segments: readonly number[], what: string): SparseMap {
  let end = 0;
  for (let i = 0; i < segments.length; i += 2) {
    const [offset, length] = [segments[i]!, segments[i + 1] ?? Number.NaN];
    if (!(offset >= end && length >= 0 && Number.isSafeInteger(offset + length))) throw malformed(what);
    end = offset + length;
  }
  if (!(end <= size)) throw malformed(what);
  if (size > LIMITS.file.most) throw tooLarge(what);
  return { size, segments };
}

/** The full content of a sparse file: zeros between the stored segments, which `isHole` tells. */
export async function* sparseContent({ size, segments }: SparseMap, body: ByteBody): AsyncGenerator<Buffer> {
  let at = 0;
  for (let i = 0; i < segments.length; i += 2) {
    const [offset, length] = [segments[i]!, segments[i + 1]!];
    yield* zeros(offset - at);
    for (let left = length; left > 0; ) {
      const part = await body.read(Math.min(left, PIECE));
      left -= part.length;
      yield part;
    }
    at = offset + length;
  }
  yield* zeros(size - at);
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= ZEROS.length)
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

function malformed(what: string): AppError {
  return new AppError('CORRUPT', `${what} has a malformed sparse file`);
}

function tooLarge(what: string): AppError {
  return new AppError(
    'CORRUPT',
    `${what} has a sparse file with more or larger parts than any program writes`,
  );
}
