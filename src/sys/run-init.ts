/*
 * The first process of a RUN: process 1 of its own PID namespace. It sets the root up, gives its rights away, and becomes
 * the command. It imports little, since every RUN waits for it.
 */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { DOCKER_CAPABILITIES } from './capabilities.ts';
import { execProgram } from './exec-program.ts';
import { findProgram } from './find-program.ts';
import { enterRoot } from './run-root.ts';
import type { InitFailure, InitSpec } from './run-types.ts';
import { createSyscalls } from './syscalls.ts';

const SPEC_FD = 3;
const STATUS_FD = 4;
const SIGKILL = 9;

function main(): void {
  const spec = JSON.parse(readFileSync(SPEC_FD, 'utf8')) as InitSpec;
  closeSync(SPEC_FD);
  // Node would write it at its exit, which never comes.
  flushCompileCache();
  const syscalls = createSyscalls();
  enterRoot(syscalls, spec);
  syscalls.sethostname(spec.hostname);
  const program = findProgram(spec.argv[0] ?? '', spec.env.PATH ?? '', spec.cwd);
  if ('message' in program) return fail(program);
  try {
    process.chdir(spec.cwd);
  } catch (error) {
    return fail({ message: `cannot enter the working directory ${spec.cwd}: ${(error as Error).message}` });
  }
  process.umask(0o022);
  if (!spec.privileged) syscalls.setCapabilities(DOCKER_CAPABILITIES);
  syscalls.setCredentials(spec.uid, spec.gid, spec.groups);
  syscalls.dieWithParent(SIGKILL);
  syscalls.closeOnExec(SPEC_FD);
  syscalls.defaultSignals();
  fail(execProgram(syscalls, program, spec.argv, spec.env));
}

function fail(failure: InitFailure): never {
  writeSync(STATUS_FD, JSON.stringify(failure));
  process.exit(failure.exitCode ?? 1);
}

try {
  main();
} catch (error) {
  fail({ message: error instanceof Error ? error.message : String(error) });
}
