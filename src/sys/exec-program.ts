import type { FoundProgram } from './find-program.ts';
import type { InitFailure } from './run-types.ts';
import type { Syscalls } from './types.ts';

/**
 * Replaces this process by a program. It returns only when that cannot be started, with the reason; a program for this
 * machine whose start the kernel refuses after all ends the process.
 */
export function execProgram(
  syscalls: Syscalls,
  program: FoundProgram,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): InitFailure {
  const { path, foreign } = program;
  if (!foreign) {
    process.execve!(path, [...argv], { ...env });
    return { message: `${path} could not be started` };
  }
  try {
    return syscalls.execve(path, argv, env);
  } catch (error) {
    return refusal(program, error as NodeJS.ErrnoException);
  }
}

const EMULATE =
  'name the platform of this machine with --platform, or register an emulator with its kernel: Debian has qemu-user-static';

/**
 * What it means that the kernel refused to start a program.
 * @param uid of the user who may not be allowed to, where that is not ours
 */
export function refusal(
  { path, foreign }: FoundProgram,
  { code, message }: NodeJS.ErrnoException,
  uid?: number,
): InitFailure {
  if (code === 'EACCES' && uid !== undefined)
    return { message: `${path} may not be executed by the user ${uid}`, exitCode: 126 };
  if (foreign && code === 'ENOEXEC') {
    return {
      message: `${path} is for another architecture, and this machine has no emulator for it`,
      hint: EMULATE,
      exitCode: 126,
    };
  }
  if (foreign && code === 'ENOENT') {
    return {
      message: `${path} is for another architecture, and its emulator or its loader is not in the image`,
      hint: 'register the emulator with the flag F, so that it need not be in the image',
      exitCode: 127,
    };
  }
  return { message: `${path} could not be started: ${message}`, exitCode: 126 };
}
