import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { InitFailure } from './run-types.ts';

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
/** e_machine of the ELF header (System V ABI), by Node's name of the architecture. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
/** The kernel follows no more interpreters of interpreters (execve(2)). */
const MOST_INTERPRETERS = 5;

/** A program that was found in this process's root. */
export interface FoundProgram {
  readonly path: string;
  /** It, or the interpreter that it names, is a program for another machine: the kernel may still know how to run it. */
  readonly foreign: boolean;
}

/**
 * The file that a command's first word names in this process's root, as runc finds it, checked so that starting it can
 * hardly fail: the reason is then better than what execve(2) says.
 */
export function findProgram(word: string, path: string, cwd: string): FoundProgram | InitFailure {
  if (word === '') return { message: 'the command is empty', exitCode: 127 };
  const candidates = word.includes('/')
    ? [posix.resolve(cwd, word)]
    : path.split(':').map((directory) => posix.join(directory || '.', word));
  let denied: string | undefined;
  for (const candidate of candidates) {
    const stat = statSync(candidate, { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    if ((stat.mode & 0o111) === 0) {
      denied ??= candidate;
      continue;
    }
    return inspect(candidate, candidate);
  }
  if (denied)
    return {
      message: `${denied} is not executable`,
      hint: 'set its mode with --chmod=755 or chmod +x',
      exitCode: 126,
    };
  const where = word.includes('/') ? 'in the image' : `in PATH (${path})`;
  return {
    message: `${word} was not found ${where}`,
    hint: 'is it installed in this stage? A shell form of RUN needs /bin/sh in the image',
    exitCode: 127,
  };
}

/** The program at `path`, or why it cannot be started, where its first bytes tell. `file` is it or an interpreter of it. */
function inspect(path: string, file: string, depth = 0): FoundProgram | InitFailure {
  let head: Buffer;
  try {
    head = firstBytes(file);
  } catch (error) {
    if (file === path) throw error;
    return { path, foreign: true };
  }
  if (head.subarray(0, 4).equals(ELF)) {
    const ours = MACHINES[process.arch];
    const known = ours !== undefined && head.length >= 20;
    return { path, foreign: known && head.readUInt16LE(18) !== ours };
  }
  const line = /^#!\s*(\S+)/.exec(head.toString('latin1'));
  // What an interpreter is, the kernel knows better; execve(2) says what is wrong with it.
  if (!line && file !== path) return { path, foreign: true };
  if (!line) {
    return {
      message: `${path} is neither a program nor a script with a #! line`,
      hint: 'run it through its interpreter',
      exitCode: 126,
    };
  }
  const interpreter = line[1]!;
  if (statSync(interpreter, { throwIfNoEntry: false })?.isFile())
    return depth < MOST_INTERPRETERS ? inspect(path, interpreter, depth + 1) : { path, foreign: true };
  const windows = head.includes('\r');
  return {
    message: `${file} names the interpreter ${interpreter}, which is not in the image`,
    ...(windows || /\r$/.test(interpreter) ? { hint: 'its lines end in CRLF; convert it to LF' } : {}),
    exitCode: 127,
  };
}

function firstBytes(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(256);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}
