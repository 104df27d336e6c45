/*
 * Tar as bytes that need not make sense (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").
 * It shares nothing with src/tar: a writer that cannot write nonsense cannot test a reader.
 */

/** One header with its content. A number is written as octal digits; a string or Buffer is written as it is. */
export interface TarPart {
  readonly name?: string | Buffer;
  readonly mode?: number | Buffer;
  readonly uid?: number | Buffer;
  readonly gid?: number | Buffer;
  /** Left out, the length of `content`. */
  readonly size?: number | Buffer;
  readonly mtime?: number | Buffer;
  /** The type flag; '0', a file, when left out. */
  readonly type?: string;
  readonly link?: string | Buffer;
  /** Magic and version, 8 bytes. */
  readonly magic?: string;
  readonly major?: number | Buffer;
  readonly minor?: number | Buffer;
  readonly prefix?: string | Buffer;
  /** Instead of the right one. */
  readonly checksum?: number | Buffer;
  readonly content?: Buffer;
  /** Records of a PAX header before this one. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** Bytes of the header that are overwritten before the checksum is made. */
  readonly poke?: Readonly<Record<number, Buffer>>;
  /** No padding after the content. */
  readonly unpadded?: boolean;
}

const BLOCK = 512;
const USTAR = 'ustar\x0000';
/** Magic and version of GNU's own format. */
export const GNU = 'ustar  \0';

/** A tar of these parts, Buffers as they are; two zero blocks end it unless `end` says what does. */
export function tarOf(parts: readonly (TarPart | Buffer)[], end: Buffer = Buffer.alloc(2 * BLOCK)): Buffer {
  return Buffer.concat([...parts.flatMap((part) => (Buffer.isBuffer(part) ? [part] : partBytes(part))), end]);
}

function partBytes(part: TarPart): Buffer[] {
  const before = part.pax ? [paxPart(part.pax)] : [];
  const content = part.content ?? Buffer.alloc(0);
  const padding = part.unpadded ? 0 : (BLOCK - (content.length % BLOCK)) % BLOCK;
  return [...before.flatMap(partBytes), header(part), content, Buffer.alloc(padding)];
}

/** A header alone. */
export function header(part: TarPart): Buffer {
  const block = Buffer.alloc(BLOCK);
  const directory = part.type === '5';
  put(block, 0, 100, part.name ?? '');
  put(block, 100, 8, part.mode ?? (directory ? 0o755 : 0o644));
  put(block, 108, 8, part.uid ?? 0);
  put(block, 116, 8, part.gid ?? 0);
  put(block, 124, 12, part.size ?? part.content?.length ?? 0);
  put(block, 136, 12, part.mtime ?? 1_700_000_000);
  put(block, 156, 1, Buffer.from(part.type ?? '0', 'latin1'));
  put(block, 157, 100, part.link ?? '');
  put(block, 257, 8, Buffer.from(part.magic ?? USTAR, 'latin1'));
  put(block, 329, 8, part.major ?? 0);
  put(block, 337, 8, part.minor ?? 0);
  put(block, 345, 155, part.prefix ?? '');
  for (const [at, bytes] of Object.entries(part.poke ?? {})) bytes.copy(block, Number(at));
  block.fill(0x20, 148, 156);
  const sum = block.reduce((all, byte) => all + byte, 0);
  put(block, 148, 8, part.checksum ?? Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `));
  return block;
}

function put(block: Buffer, at: number, width: number, value: string | number | Buffer): void {
  const bytes =
    typeof value === 'number'
      ? Buffer.from(
          value
            .toString(8)
            .padStart(width - 1, '0')
            .slice(0, width - 1),
          'latin1',
        )
      : Buffer.from(value);
  bytes.copy(block, at, 0, Math.min(bytes.length, width));
}

/** A number in GNU's base-256 form, for values that octal digits cannot say. */
export function base256(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  let rest = BigInt.asUintN(width * 8, value);
  for (let at = width - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = value < 0n ? 0xff : bytes[0]! | 0x80;
  return bytes;
}

/** One PAX record with its own length in front. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** The part that a PAX header is. @param records as an object, or as bytes that need not be any */
export function paxPart(
  records: Readonly<Record<string, string | Buffer>> | Buffer,
  type: 'x' | 'g' = 'x',
): TarPart {
  const content = Buffer.isBuffer(records)
    ? records
    : Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return { name: 'PaxHeaders/0', type, content };
}

/** GNU's header for a name (`L`) or a link (`K`) that is too long for a header. */
export function gnuLong(type: 'L' | 'K', value: string | Buffer): TarPart {
  return { name: '././@LongLink', type, magic: GNU, content: Buffer.from(value) };
}

export function file(name: string | Buffer, text: string | Buffer = 'x', more: TarPart = {}): TarPart {
  return { name, content: Buffer.from(text), ...more };
}

export function dir(name: string, more: TarPart = {}): TarPart {
  return { name: name.endsWith('/') ? name : `${name}/`, type: '5', ...more };
}

export function link(name: string, to: string | Buffer, more: TarPart = {}): TarPart {
  return { name, type: '2', link: to, ...(to.length > 100 ? { pax: { linkpath: to } } : {}), ...more };
}

export function hard(name: string, to: string, more: TarPart = {}): TarPart {
  return { name, type: '1', link: to, ...(to.length > 100 ? { pax: { linkpath: to } } : {}), ...more };
}

/** A file whose name does not fit into a header. */
export function long(path: string | Buffer, text = 'x', more: TarPart = {}): TarPart {
  return { name: 'long', pax: { path }, content: Buffer.from(text), ...more };
}
