/** Size of a tar block in bytes. */
const BLOCK = 512;

const MAX_OCTAL_SIZE = 0o77777777777;

/**
 * The header of a regular file in a tar archive (POSIX.1-1988 "ustar"; a size of 8 GiB and more in GNU's base-256 form):
 * mode 0644, owner 0:0, time 0, so that equal content makes equal archives.
 * @param name at most 100 ASCII characters
 * @throws RangeError when the name does not fit
 */
export function ustarHeader(name: string, size: number): Buffer {
  if (name.length > 100) throw new RangeError(`too long for a tar header: ${name}`);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  octal(header, 0o644, 100, 8);
  octal(header, 0, 108, 8);
  octal(header, 0, 116, 8);
  if (size <= MAX_OCTAL_SIZE) octal(header, size, 124, 12);
  else base256(header, size, 124);
  octal(header, 0, 136, 12);
  header.fill(0x20, 148, 156);
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The zero bytes after content of `size` bytes. */
export function ustarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The end of an archive. */
export function ustarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

function octal(header: Buffer, value: number, at: number, width: number): void {
  header.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
}

function base256(header: Buffer, value: number, at: number): void {
  header[at] = 0x80;
  header.writeBigUInt64BE(BigInt(value), at + 4);
}
