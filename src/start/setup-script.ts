import { rmSync, writeFileSync } from 'node:fs';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { splitWords } from '../core/shell-words.ts';
import { readRegularFile } from '../sys/regular-file.ts';
import type { runAs } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import { type Variables, withAccount } from './environment.ts';
import { createOutput } from './output-lines.ts';

/** Bytes of what a setup script says. */
const MOST_SETUP = 1024 * 1024;

/** What the container ends up in. */
export interface InitCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Who runs it, as a name or number of the new root. */
  readonly user: string;
}

export interface SetupDeps {
  readonly runAs: typeof runAs;
  readonly root: Account;
  readonly env: Variables;
  readonly cwd: string;
  /** The file that the script may write to; removed before and afterwards. */
  readonly envFile: string;
  /** Whether standard input and output are a terminal, which the script then gets. */
  readonly terminal: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Runs the setup script as root, and applies what it wrote to the file that ENVBUILDER_ENV names.
 * @throws AppError START_FAILED when it fails or writes something that is not known
 */
export async function runSetupScript(
  script: string,
  init: InitCommand,
  targetUser: string,
  deps: SetupDeps,
): Promise<InitCommand> {
  const { root, envFile, terminal, emit, signal } = deps;
  const env = {
    ...withAccount(deps.env, root),
    USER: root.name,
    HOME: '/root',
    ENVBUILDER_ENV: envFile,
    TARGET_USER: targetUser,
  };
  emit({ type: 'message', level: 'info', text: 'running the setup script as root' });
  writeFileSync(envFile, '', { mode: 0o600 });
  const output = createOutput('setup script', emit);
  try {
    const { uid, gid, groups } = root;
    const result = await deps.runAs(
      { argv: ['/bin/sh', '-c', script], env, cwd: deps.cwd, uid, gid, groups },
      { signal, ...(terminal ? {} : { onOutput: output.push }) },
    );
    output.end();
    const reason = result.failure
      ? `could not be started: ${result.failure.message}`
      : result.signal
        ? `was killed by ${result.signal}`
        : result.exitCode !== 0 && `exited with code ${result.exitCode}`;
    if (reason) {
      throw new AppError('START_FAILED', `the setup script ${reason}`, {
        hint: 'its output is above; ENVBUILDER_SETUP_SCRIPT is run by /bin/sh -c as root',
      });
    }
    return applySetup(readSetup(envFile), init);
  } finally {
    rmSync(envFile, { force: true });
  }
}

function readSetup(envFile: string): string {
  try {
    return readRegularFile(envFile, { limit: MOST_SETUP }).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw toAppError(error, 'START_FAILED', 'cannot read what the setup script wrote to ENVBUILDER_ENV', {
      hint: 'it has to be a file of lines such as INIT_COMMAND=/bin/bash',
    });
  }
}

/**
 * Applies the lines of a setup script's file to the init command.
 * @throws AppError START_FAILED for a key that is not known
 */
export function applySetup(text: string, init: InitCommand): InitCommand {
  let { command, args, user } = init;
  let ownArgs: string[] | undefined;
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals < 0) continue;
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1)];
    if (key === 'INIT_COMMAND') {
      command = value;
      args = [];
    } else if (key === 'INIT_ARGS') ownArgs = splitWords(value, 'INIT_ARGS of the setup script');
    else if (key === 'TARGET_USER') user = value;
    else {
      throw new AppError(
        'START_FAILED',
        `the setup script wrote the unknown key "${key}" to ENVBUILDER_ENV`,
        {
          hint: 'it can be INIT_COMMAND, INIT_ARGS or TARGET_USER',
        },
      );
    }
  }
  return { command, args: ownArgs ?? args, user };
}
