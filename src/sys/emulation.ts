import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';

/** ELF headers by Go's name of the architecture: e_machine, class, byte order (System V ABI, "ELF Header"). */
const HEADERS: Readonly<
  Record<
    string,
    { readonly machine: number; readonly bits: 32 | 64; readonly big?: true; readonly flags?: number }
  >
> = {
  '386': { machine: 3, bits: 32 },
  amd64: { machine: 62, bits: 64 },
  arm: { machine: 40, bits: 32, flags: 0x05000000 },
  arm64: { machine: 183, bits: 64 },
  loong64: { machine: 258, bits: 64 },
  mips64le: { machine: 8, bits: 64, flags: 0x80000007 },
  ppc64le: { machine: 21, bits: 64, flags: 2 },
  riscv64: { machine: 243, bits: 64 },
  s390x: { machine: 22, bits: 64, big: true },
};
/** Programs that do nothing but end well, where the kernel of another architecture may run them by itself. */
const CODE: Readonly<Record<string, string>> = {
  // mov eax, 1; xor ebx, ebx; int 0x80
  '386': 'b80100000031dbcd80',
  // mov r7, #1; mov r0, #0; svc 0
  arm: '0170a0e30000a0e3000000ef',
};
/** What the shell ends with, to which execvp(3) gives what the kernel does not run. */
const NOT_RUN = 42;
const LOADED_AT = 0x400000;

/**
 * Whether the kernel starts programs of an architecture, by itself or with an emulator that was registered with it; true
 * where that cannot be told.
 * @param architecture Go's name of it
 * @param dir for files that are gone afterwards
 */
export async function startsPrograms(architecture: string, dir: string): Promise<boolean> {
  const program = smallProgram(architecture);
  if (!program) return true;
  const place = join(dir, `starts-${architecture}`);
  mkdirSync(place, { mode: 0o700 });
  try {
    writeFileSync(join(place, 'program'), program, { mode: 0o700 });
    // As an interpreter, so that it is told apart from one that was started and failed.
    writeFileSync(join(place, 'script'), `#!${place}/program\nexit ${NOT_RUN}\n`, { mode: 0o700 });
    return await ends(join(place, 'script'));
  } finally {
    removeTree(place);
  }
}

/**
 * Whether a program is one of an architecture; undefined where it is no ELF file, or the architecture is not known.
 * @param head at least its first 20 bytes
 */
export function isProgramFor(architecture: string, head: Buffer): boolean | undefined {
  const header = HEADERS[architecture];
  if (!header || head.length < 20 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  return (head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18)) === header.machine;
}

function ends(script: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(script, { stdio: 'ignore', env: {} });
    child.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ENOEXEC'));
    child.on('exit', (code) => resolve(code !== NOT_RUN));
  });
}

/** A static program with one segment; undefined for an architecture that is not in the table. */
function smallProgram(architecture: string): Buffer | undefined {
  const header = HEADERS[architecture];
  if (!header) return undefined;
  const { machine, bits, big = false, flags = 0 } = header;
  const wide = bits === 64;
  const [headerSize, segmentSize] = wide ? [64, 56] : [52, 32];
  const code = Buffer.from(CODE[architecture] ?? '00000000', 'hex');
  const bytes = Buffer.alloc(headerSize + segmentSize + code.length);
  let at = 0;
  const put = (value: number, size: 2 | 4 | 8): void => {
    const low = size === 8 ? 4 : size;
    const place = at + (size === 8 && big ? 4 : 0);
    if (big) bytes.writeUIntBE(value, place, low);
    else bytes.writeUIntLE(value, place, low);
    at += size;
  };
  const word = (value: number): void => put(value, wide ? 8 : 4);
  bytes.write('\x7fELF', 'latin1');
  bytes.set([wide ? 2 : 1, big ? 2 : 1, 1], 4);
  at = 16;
  put(2, 2);
  put(machine, 2);
  put(1, 4);
  word(LOADED_AT + headerSize + segmentSize);
  word(headerSize);
  word(0);
  put(flags, 4);
  for (const value of [headerSize, segmentSize, 1, 0, 0, 0]) put(value, 2);
  put(1, 4);
  // Readable and executable; the flags stand in another place in each class.
  if (wide) put(5, 4);
  for (const value of [0, LOADED_AT, LOADED_AT, bytes.length, bytes.length]) word(value);
  if (!wide) put(5, 4);
  word(0x1000);
  code.copy(bytes, headerSize + segmentSize);
  return bytes;
}
