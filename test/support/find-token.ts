import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

/** How a token may be written: as it is, in base64 (at any offset in a longer text), in hex. */
function formsOf(token: string): readonly string[] {
  const shifted = [0, 1, 2].map((skip) => {
    const text = Buffer.from('\0'.repeat(skip) + token).toString('base64');
    return text.slice(Math.ceil((skip * 8) / 6), -4);
  });
  return [token, ...shifted, Buffer.from(token).toString('hex')];
}

/** The form of a token that bytes hold, if any. */
export function find(bytes: Buffer, token: string): string | undefined {
  return formsOf(token).find((form) => bytes.includes(form));
}

/** Every reading of a file: as it stands and, where it is compressed, what it decompresses to. */
function contents(path: string): readonly Buffer[] {
  const bytes = readFileSync(path);
  if (bytes.length > 4 && bytes.readUInt16BE(0) === 0x1f8b) return [bytes, gunzipSync(bytes)];
  const magic = bytes.length > 4 ? bytes.readUInt32LE(0) : 0;
  const zstd = magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
  return zstd ? [bytes, zstdDecompressSync(bytes)] : [bytes];
}

/** Every place below these directories that holds the token: names, link targets, contents. */
export function holders(paths: readonly string[], token: string): readonly string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (find(Buffer.from(path), token)) found.push(path);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    if (!stat.isFile()) return;
    for (const bytes of contents(path)) {
      const form = find(bytes, token);
      if (form !== undefined) found.push(`${path} (${around(bytes, form)})`);
    }
  };
  for (const path of paths) visit(path);
  return found;
}

/** A form of a token and what stands around it. */
export function around(bytes: Buffer, form: string): string {
  const at = bytes.indexOf(form);
  return bytes.subarray(Math.max(0, at - 60), at + form.length + 20).toString('latin1');
}
