import { execProgram } from './exec-program.ts';
import { findProgram } from './find-program.ts';
import { isPossibleVariable } from './possible-variable.ts';
import type { UserCommand } from './run-as.ts';
import type { InitFailure } from './run-types.ts';
import { createSyscalls } from './syscalls.ts';

/** Everything above standard input, output and error. */
const FIRST_FD = 3;

/**
 * Replaces this process by a command, with those of the variables that a process can have, and with that user's identity, nothing of ours open, and every signal at its default.
 * It returns only when the command cannot be started; the process may have changed its user and directory by then.
 * @param ready called when nothing is left to do but execve(2)
 * @throws Error when the identity cannot be taken
 */
export function becomeCommand(
  { argv, env, cwd, uid, gid, groups }: UserCommand,
  ready: () => void = () => {},
): InitFailure {
  if (argv.some((argument) => argument.includes('\0')))
    return { message: 'an argument of the command has a NUL byte', exitCode: 126 };
  const program = findProgram(argv[0] ?? '', env.PATH ?? '', cwd, { uid, gid, groups });
  if ('message' in program) return program;
  const syscalls = createSyscalls();
  syscalls.reapChildren();
  // Root may enter where the user may not, and on some network file systems it is the other way round.
  const entered = enterDirectory(cwd) === undefined;
  syscalls.setCredentials(uid, gid, groups);
  const reason = entered ? undefined : enterDirectory(cwd);
  if (reason !== undefined) return { message: `cannot enter the working directory ${cwd}: ${reason}` };
  process.umask(0o022);
  for (let fd = 0; fd < FIRST_FD; fd += 1) syscalls.setBlocking(fd);
  syscalls.closeOnExec(FIRST_FD);
  syscalls.defaultSignals();
  ready();
  const possible = Object.entries(env).filter(([name, value]) => isPossibleVariable(name, value));
  return execProgram(syscalls, program, argv, Object.fromEntries(possible));
}

/** Enters a directory. @returns why it cannot be entered; undefined when it was */
export function enterDirectory(directory: string): string | undefined {
  try {
    process.chdir(directory);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
