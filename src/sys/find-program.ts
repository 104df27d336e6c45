import { closeSync, openSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { InitFailure } from './run-types.ts';

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
/** e_machine of the ELF header (System V ABI), by Node's name of the architecture. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };
/** The kernel follows no more interpreters of interpreters (execve(2)). */
const MOST_INTERPRETERS = 5;
const NOT_FOUND = 'install it in the image; shell forms and the default init command need /bin/sh';

/** Whose rights decide. */
export interface Who {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

const ROOT: Who = { uid: 0, gid: 0, groups: [0] };

/** A program that was found in this process's root. */
export interface FoundProgram {
  readonly path: string;
  /** It, or the interpreter that it names, is a program for another machine: the kernel may still know how to run it. */
  readonly foreign: boolean;
}

/**
 * The file that a command's first word names in this process's root, as runc finds it, checked so that starting it can
 * hardly fail: the reason is then better than what execve(2) says. A directory of PATH that the user may not enter holds
 * nothing for him.
 * @param who decides what may be executed; by modes alone
 */
export function findProgram(
  word: string,
  path: string,
  cwd: string,
  who: Who = ROOT,
): FoundProgram | InitFailure {
  if (word === '') return { message: 'the command is empty', exitCode: 127 };
  const candidates = word.includes('/')
    ? [posix.resolve(cwd, word)]
    : path.split(':').map((directory) => posix.join(directory || '.', word));
  let denied: InitFailure | undefined;
  for (const candidate of candidates) {
    try {
      if (!statSync(candidate).isFile()) continue;
      if (mayExecute(candidate, who)) return inspect(candidate, candidate);
      denied ??= refused(candidate, who);
    } catch {
      // A directory that is a file, or a loop of symlinks: it is not there.
    }
  }
  if (denied) return denied;
  const where = word.includes('/') ? 'in the image' : `in PATH (${path})`;
  return {
    message: `${word} was not found ${where}`,
    hint: NOT_FOUND,
    exitCode: 127,
  };
}

function refused(path: string, { uid }: Who): InitFailure {
  const stat = statOrNone(path);
  if (stat && (stat.mode & 0o111) === 0)
    return {
      message: `${path} is not executable`,
      hint: 'set its mode with --chmod=755 or chmod +x',
      exitCode: 126,
    };
  return { message: `${path} may not be executed by the user ${uid}`, exitCode: 126 };
}

/** Whether a user may go through all directories to a file, by name and through symlinks, and execute it. */
function mayExecute(path: string, who: Who): boolean {
  const real = realpathSync(path);
  const directories = [...directoriesOf(posix.resolve(path)), ...directoriesOf(real)];
  return allowed(statSync(real), who) && directories.every((each) => allowed(statSync(each), who));
}

function directoriesOf(path: string): string[] {
  const directory = posix.dirname(path);
  return directory === '/' ? ['/'] : [directory, ...directoriesOf(directory)];
}

/** Whether the bit x counts for a user (path_resolution(7)); root needs any of them, and none for a directory. */
function allowed(stat: Stats, { uid, gid, groups }: Who): boolean {
  if (uid === 0) return stat.isDirectory() || (stat.mode & 0o111) !== 0;
  if (stat.uid === uid) return (stat.mode & 0o100) !== 0;
  const member = stat.gid === gid || groups.includes(stat.gid);
  return (stat.mode & (member ? 0o010 : 0o001)) !== 0;
}

function statOrNone(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The program at `path`, or why it cannot be started, where its first bytes tell. `file` is it or an interpreter of it. */
function inspect(path: string, file: string, depth = 0): FoundProgram | InitFailure {
  let head: Buffer;
  try {
    head = firstBytes(file);
  } catch {
    // It may be executed and not be read.
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
  if (statOrNone(interpreter)?.isFile())
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
