/** An entry of a tar as it stands there. Written for the tests alone: it must not share a mistake with src/layer. */
export interface TarEntry {
  /** One character a byte. */
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly linkname: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: Readonly<Record<string, string>>;
  readonly data: Buffer;
}

const block = 512;
const xattrPrefix = 'SCHILY.xattr.';

/** All entries of an uncompressed tar (POSIX.1-2001 pax and GNU long names). @throws Error for a damaged header */
export function* readTar(tar: Buffer): Generator<TarEntry> {
  let pax: Record<string, string> = {};
  let longName: string | undefined;
  let longLink: string | undefined;
  for (let at = 0; at + block <= tar.length; ) {
    const header = tar.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return;
    checkSum(header, at);
    const type = String.fromCharCode(header[156] ?? 0).replace('\0', '0');
    const size = pax.size === undefined || 'xgLK'.includes(type) ? number(header, 124, 12) : Number(pax.size);
    const data = tar.subarray(at + block, at + block + size);
    if (data.length !== size) throw new Error(`tar: entry at ${at} is cut off`);
    at += block + Math.ceil(size / block) * block;
    if (type === 'x') pax = { ...pax, ...paxRecords(data) };
    else if (type === 'L') longName = text(data, 0, size);
    else if (type === 'K') longLink = text(data, 0, size);
    else if (type !== 'g') {
      yield entry(header, type, data, pax, longName, longLink);
      pax = {};
      longName = undefined;
      longLink = undefined;
    }
  }
}

function entry(
  header: Buffer,
  type: string,
  data: Buffer,
  pax: Readonly<Record<string, string>>,
  longName: string | undefined,
  longLink: string | undefined,
): TarEntry {
  const prefix = text(header, 257, 5) === 'ustar' && header[263] === 0x30 ? text(header, 345, 155) : '';
  const plain = text(header, 0, 100);
  const xattrs: Record<string, string> = {};
  for (const [key, value] of Object.entries(pax)) {
    if (key.startsWith(xattrPrefix))
      xattrs[key.slice(xattrPrefix.length)] = Buffer.from(value, 'latin1').toString('hex');
    if (key.startsWith('GNU.sparse')) throw new Error('tar: sparse entries are not expected in a layer');
  }
  return {
    name: pax.path ?? longName ?? (prefix === '' ? plain : `${prefix}/${plain}`),
    type,
    mode: number(header, 100, 8) & 0o7777,
    uid: pax.uid === undefined ? number(header, 108, 8) : Number(pax.uid),
    gid: pax.gid === undefined ? number(header, 116, 8) : Number(pax.gid),
    mtime: Math.floor(pax.mtime === undefined ? number(header, 136, 12) : Number(pax.mtime)),
    linkname: pax.linkpath ?? longLink ?? text(header, 157, 100),
    major: number(header, 329, 8),
    minor: number(header, 337, 8),
    xattrs,
    data,
  };
}

function paxRecords(data: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString('latin1', at, space));
    const record = data.toString('latin1', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (!(length > 0) || equals < 0) throw new Error('tar: damaged pax record');
    records[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return records;
}

function text(data: Buffer, offset: number, length: number): string {
  const field = data.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

function number(header: Buffer, offset: number, length: number): number {
  const first = header[offset] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = first === 0xff ? -1 : first & 0x7f;
    for (let index = 1; index < length; index++) value = value * 256 + (header[offset + index] ?? 0);
    return value;
  }
  return Number.parseInt(text(header, offset, length).trim() || '0', 8);
}

function checkSum(header: Buffer, at: number): void {
  let sum = 0;
  for (let index = 0; index < block; index++)
    sum += index >= 148 && index < 156 ? 0x20 : (header[index] ?? 0);
  if (sum !== number(header, 148, 8)) throw new Error(`tar: wrong checksum at ${at}`);
}
