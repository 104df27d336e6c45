import { EMPTY_FILE } from './empty-file.ts';
import { BLOCK, encodeHeader, padding, seal } from './header.ts';

const NAME_BYTES = 100;
const MAX_OCTAL_SIZE = 0o77777777777;

/**
 * The header of a regular file in an archive whose readers know no PAX (docker's and kaniko's): mode 0644, owner 0:0,
 * time 0, so that equal content makes equal archives; a size of 8 GiB and more in GNU's base-256 form.
 * @param name at most 100 ASCII characters
 * @param size in bytes
 * @throws RangeError when the name does not fit
 */
export function ustarHeader(name: string, size: number): Buffer {
  if (name.length > NAME_BYTES) throw new RangeError(`too long for a tar header: ${name}`);
  const octal = size <= MAX_OCTAL_SIZE;
  const header = encodeHeader({ ...EMPTY_FILE, path: name, size: octal ? size : 0 });
  if (octal) return header;
  header.fill(0, 124, 136);
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
  return seal(header);
}

/** The zero bytes after content of `size` bytes. */
export function ustarPadding(size: number): Buffer {
  return Buffer.alloc(padding(size));
}

/** The end of an archive. */
export function ustarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}
