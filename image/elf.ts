/*
 * What of ELF64, little-endian, this needs (System V ABI, chapters 4 and 5; dynamic tags as in glibc's elf.h). patchelf
 * would do the same by moving parts of the file around, which the Node binary does not survive.
 */
const HEADER = { segments: 0x20, sections: 0x28, segmentCount: 0x38, sectionSize: 0x3a, sectionCount: 0x3c };
const HEADER_NAME_SECTION = 0x3e;
const SEGMENT_SIZE = 56;
const SEGMENT = { type: 0, offset: 8, address: 16, physical: 24, fileSize: 32, memorySize: 40 };
const SECTION = { name: 0, flags: 8, offset: 24, size: 32 };
const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3 };
const DT = { NULL: 0n, NEEDED: 1n, STRTAB: 5n, RPATH: 15n, RUNPATH: 29n };
const SHF_ALLOC = 2n;
const ALIGN = 8;

interface Segment {
  /** Where its header stands. */
  readonly at: number;
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
  readonly memorySize: number;
}

/** Whether these are the bytes of an ELF file of the kind that everything here is. */
export function isElf(bytes: Buffer): boolean {
  return bytes.length > 64 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
}

/** The names of the libraries that a file says it needs. */
export function neededLibraries(bytes: Buffer): string[] {
  const entries = dynamicEntries(bytes);
  const strings = entries.find(({ tag }) => tag === DT.STRTAB);
  if (!strings) return [];
  const base = offsetOf(bytes, strings.value);
  return entries
    .filter(({ tag }) => tag === DT.NEEDED)
    .map(({ value }) => textAt(bytes, base + Number(value)));
}

/**
 * Gives a program another interpreter and a DT_RPATH, in place: both strings go into the padding behind a segment, and
 * the entry takes one of those that linkers leave free. DT_RPATH, unlike DT_RUNPATH, also holds for what libraries load
 * and comes before LD_LIBRARY_PATH.
 * @throws Error for a file without that room, or with a path of its own
 */
export function relocateProgram(bytes: Buffer, interpreter: string, libraries: string): void {
  const entries = dynamicEntries(bytes);
  const strings = entries.find(({ tag }) => tag === DT.STRTAB);
  const free = entries.findIndex(({ tag }) => tag === DT.NULL);
  const interp = segments(bytes).find(({ type }) => type === PT.INTERP);
  if (!strings || !interp) throw new Error('not a dynamically linked program');
  if (entries.some(({ tag }) => tag === DT.RPATH || tag === DT.RUNPATH))
    throw new Error('the program has a library path of its own');
  if (free === -1 || entries[free + 1]?.tag !== DT.NULL) throw new Error('the dynamic table has no room');

  const path = placeText(bytes, libraries);
  bytes.writeBigUInt64LE(DT.RPATH, entries[free]!.at);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, path.address - strings.value), entries[free]!.at + 8);
  const loader = placeText(bytes, interpreter);
  bytes.writeBigUInt64LE(BigInt(loader.offset), interp.at + SEGMENT.offset);
  bytes.writeBigUInt64LE(loader.address, interp.at + SEGMENT.address);
  bytes.writeBigUInt64LE(loader.address, interp.at + SEGMENT.physical);
  const length = BigInt(Buffer.byteLength(interpreter) + 1);
  bytes.writeBigUInt64LE(length, interp.at + SEGMENT.fileSize);
  bytes.writeBigUInt64LE(length, interp.at + SEGMENT.memorySize);
}

/** Writes a string behind the end of a loaded segment that has room up to the next one, and makes it part of it. */
function placeText(bytes: Buffer, text: string): { offset: number; address: bigint } {
  const loaded = segments(bytes).filter(({ type }) => type === PT.LOAD);
  const length = Buffer.byteLength(text) + 1;
  for (const [i, segment] of loaded.entries()) {
    const next = loaded[i + 1];
    const offset = segment.offset + segment.size;
    const address = segment.address + BigInt(segment.size);
    if (!next || segment.memorySize !== segment.size) continue;
    if (offset + length > next.offset || address + BigInt(length) > next.address) continue;
    if (bytes.subarray(offset, offset + length).some((byte) => byte !== 0)) continue;
    bytes.write(text, offset);
    const size = BigInt(segment.size + length);
    bytes.writeBigUInt64LE(size, segment.at + SEGMENT.fileSize);
    bytes.writeBigUInt64LE(size, segment.at + SEGMENT.memorySize);
    return { offset, address };
  }
  throw new Error(`no segment has room for ${text}`);
}

function segments(bytes: Buffer): Segment[] {
  if (!isElf(bytes)) throw new Error('not a 64-bit little-endian ELF file');
  const start = Number(bytes.readBigUInt64LE(HEADER.segments));
  return Array.from({ length: bytes.readUInt16LE(HEADER.segmentCount) }, (_, i) => {
    const at = start + i * SEGMENT_SIZE;
    const field = (offset: number): number => Number(bytes.readBigUInt64LE(at + offset));
    return {
      at,
      type: bytes.readUInt32LE(at),
      offset: field(SEGMENT.offset),
      address: bytes.readBigUInt64LE(at + SEGMENT.address),
      size: field(SEGMENT.fileSize),
      memorySize: field(SEGMENT.memorySize),
    };
  });
}

function dynamicEntries(bytes: Buffer): { at: number; tag: bigint; value: bigint }[] {
  const dynamic = segments(bytes).find(({ type }) => type === PT.DYNAMIC);
  if (!dynamic) return [];
  return Array.from({ length: dynamic.size / 16 }, (_, i) => {
    const at = dynamic.offset + i * 16;
    return { at, tag: bytes.readBigUInt64LE(at), value: bytes.readBigUInt64LE(at + 8) };
  });
}

function offsetOf(bytes: Buffer, address: bigint): number {
  const segment = segments(bytes).find(
    ({ type, address: start, size }) =>
      type === PT.LOAD && start <= address && address < start + BigInt(size),
  );
  if (!segment) throw new Error('an address lies in no segment');
  return segment.offset + Number(address - segment.address);
}

function textAt(bytes: Buffer, offset: number): string {
  return bytes.toString('latin1', offset, bytes.indexOf(0, offset));
}

/**
 * A program without what only debuggers read: everything behind its last loaded section, but for the names of the
 * sections that stay. What is left out must come last, as linkers put it.
 * @throws Error for a file of another shape
 */
export function stripElf(bytes: Buffer): Buffer {
  if (!isElf(bytes)) throw new Error('not a 64-bit little-endian ELF file');
  const start = Number(bytes.readBigUInt64LE(HEADER.sections));
  const size = bytes.readUInt16LE(HEADER.sectionSize);
  const headers = Array.from({ length: bytes.readUInt16LE(HEADER.sectionCount) }, (_, i) =>
    Buffer.from(bytes.subarray(start + i * size, start + (i + 1) * size)),
  );
  const names = headers[bytes.readUInt16LE(HEADER_NAME_SECTION)]!;
  const text = Buffer.from(bytes.subarray(sectionStart(names), sectionStart(names) + sectionSize(names)));
  const first = headers.findIndex((header) =>
    /^\.(debug_|symtab$|strtab$)/.test(textAt(text, header.readUInt32LE(SECTION.name))),
  );
  if (first === -1) return bytes;
  const kept = headers.slice(0, first);
  const dropped = headers.slice(first).filter((header) => header !== names);
  if (kept.includes(names) || dropped.some((header) => header.readBigUInt64LE(SECTION.flags) & SHF_ALLOC))
    throw new Error('sections that are loaded lie behind those that are not');

  const end = Math.min(...dropped.map(sectionStart));
  names.writeBigUInt64LE(BigInt(end), SECTION.offset);
  const padding = Buffer.alloc((ALIGN - ((end + text.length) % ALIGN)) % ALIGN);
  const result = Buffer.concat([bytes.subarray(0, end), text, padding, ...kept, names]);
  result.writeBigUInt64LE(BigInt(end + text.length + padding.length), HEADER.sections);
  result.writeUInt16LE(kept.length + 1, HEADER.sectionCount);
  result.writeUInt16LE(kept.length, HEADER_NAME_SECTION);
  return result;
}

function sectionStart(header: Buffer): number {
  return Number(header.readBigUInt64LE(SECTION.offset));
}

function sectionSize(header: Buffer): number {
  return Number(header.readBigUInt64LE(SECTION.size));
}
