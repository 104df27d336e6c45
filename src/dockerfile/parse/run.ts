import { didYouMean } from '../../core/suggest.ts';
import type {
  CmdInstruction,
  Command,
  EntrypointInstruction,
  MountSpec,
  RunInstruction,
  ShellInstruction,
} from '../types.ts';
import { commandOf, parseJsonForm } from './command.ts';
import { parseDevice } from './device.ts';
import { type Flags, type GivenFlag, readFlags, rejectFlags } from './flags.ts';
import { parseMount } from './mount.ts';
import { fail, nodeOf, type Statement, whereOf } from './statement.ts';

const NETWORKS = ['default', 'none', 'host'] as const;
const SECURITIES = ['sandbox', 'insecure'] as const;

/** `RUN [--mount=…]… [--network=…] [--security=…] command`, both forms. */
export function parseRun(statement: Statement): RunInstruction {
  const kinds = { mount: 'values', network: 'value', security: 'value', device: 'values' } as const;
  const flags = readFlags(statement, kinds);
  const devices = flags.values('device').map((flag) => parseDevice(statement, flag));
  const command = readCommand(statement);
  // The shell form may be empty, as under Docker: the shell then has nothing to do.
  if (command.form === 'exec' && command.argv.length === 0)
    fail(statement, undefined, 'RUN has no command', 'write RUN command, or remove the line');
  return {
    kind: 'run',
    ...nodeOf(statement),
    command,
    heredocs: statement.heredocs,
    mounts: flags.values('mount').map((flag) => readMount(statement, flag)),
    ...(devices.length > 0 ? { devices } : {}),
    network: choice(statement, flags, 'network', NETWORKS),
    security: choice(statement, flags, 'security', SECURITIES),
  };
}

/** `CMD command`, both forms; an empty one clears what the base has. */
export function parseCmd(statement: Statement): CmdInstruction {
  rejectFlags(statement);
  return { kind: 'cmd', ...nodeOf(statement), command: readCommand(statement) };
}

/** `ENTRYPOINT command`, both forms. */
export function parseEntrypoint(statement: Statement): EntrypointInstruction {
  rejectFlags(statement);
  return { kind: 'entrypoint', ...nodeOf(statement), command: readCommand(statement) };
}

/** `SHELL ["executable", "parameter"…]`. */
export function parseShell(statement: Statement): ShellInstruction {
  rejectFlags(statement);
  const command = readCommand(statement);
  if (command.form === 'shell' || command.argv.length === 0) {
    const hint = 'write SHELL ["/bin/bash", "-c"], with double quotes';
    fail(statement, statement.rest, 'SHELL needs a JSON list with at least one string', hint);
  }
  return { kind: 'shell', ...nodeOf(statement), argv: command.argv };
}

/**
 * The command behind the flags, exec form when it is a JSON list.
 * @throws AppError DOCKERFILE for a JSON list with something else than strings in it
 */
export function readCommand(statement: Statement, from = statement.rest): Command {
  const argv = parseJsonForm(from.text);
  if (argv === 'mixed')
    fail(statement, from, 'a JSON list may hold strings only', 'put every element in double quotes');
  return commandOf(argv, from.text);
}

function readMount(statement: Statement, flag: GivenFlag): MountSpec {
  return parseMount(flag.value, flag.range, statement.escape, whereOf(statement, flag.token));
}

function choice<T extends string>(statement: Statement, flags: Flags, name: string, known: readonly T[]): T {
  const value = flags.value(name) ?? known[0]!;
  const match = known.find((one) => one === value);
  if (match) return match;
  const token = statement.flags.find(({ text }) => text.startsWith(`--${name}=`));
  fail(statement, token, `the flag --${name} has the unknown value "${value}"`, didYouMean(value, known));
}
