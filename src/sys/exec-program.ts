import type { FoundProgram } from './find-program.ts';
import type { InitFailure } from './run-types.ts';
import type { Syscalls } from './types.ts';

/**
 * Replaces this process by a program. It returns only when that cannot be started, with the reason; a program for this
 * machine whose start the kernel refuses after all ends the process.
 */
export function execProgram(
  syscalls: Syscalls,
  { path, foreign }: FoundProgram,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): InitFailure {
  if (!foreign) {
    process.execve!(path, [...argv], { ...env });
    return { message: `${path} could not be started` };
  }
  try {
    return syscalls.execve(path, argv, env);
  } catch (error) {
    return refusal(path, error as NodeJS.ErrnoException);
  }
}

const EMULATE =
  'name the platform of this machine with --platform, or register an emulator with its kernel: Debian has qemu-user-static';

/** What it means that the kernel refused a program for another machine. */
function refusal(path: string, { code, message }: NodeJS.ErrnoException): InitFailure {
  if (code === 'ENOEXEC') {
    return {
      message: `${path} is for another architecture, and this machine has no emulator for it`,
      hint: EMULATE,
      exitCode: 126,
    };
  }
  if (code === 'ENOENT') {
    return {
      message: `${path} is for another architecture, and its emulator or its loader is not in the image`,
      hint: 'register the emulator with the flag F, so that it need not be in the image',
      exitCode: 127,
    };
  }
  return { message: `${path} could not be started: ${message}`, exitCode: 126 };
}
