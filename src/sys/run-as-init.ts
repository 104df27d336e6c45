/*
 * Becomes a command of another user: takes that user's identity with all its groups, which spawning alone cannot give, and
 * is then replaced by the command.
 */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { becomeCommand } from './become-command.ts';
import type { UserCommand } from './run-as.ts';
import type { InitFailure } from './run-types.ts';

const SPEC_FD = 3;
const STATUS_FD = 4;

function fail(failure: InitFailure): never {
  writeSync(STATUS_FD, JSON.stringify(failure));
  process.exit(failure.exitCode ?? 1);
}

try {
  const command = JSON.parse(readFileSync(SPEC_FD, 'utf8')) as UserCommand;
  closeSync(SPEC_FD);
  fail(becomeCommand(command));
} catch (error) {
  fail({ message: error instanceof Error ? error.message : String(error) });
}
