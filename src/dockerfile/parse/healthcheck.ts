import { trimmedToken } from '../text.ts';
import type { HealthcheckInstruction } from '../types.ts';
import { type Flags, readFlags } from './flags.ts';
import { readCommand } from './run.ts';
import { fail, nodeOf, type Statement } from './statement.ts';
import { parseDuration } from './values.ts';

const KINDS = {
  interval: 'value',
  timeout: 'value',
  'start-period': 'value',
  'start-interval': 'value',
  retries: 'value',
} as const;

const MILLISECOND = 1e6;

/** `HEALTHCHECK [flags] CMD command` or `HEALTHCHECK NONE`. */
export function parseHealthcheck(statement: Statement): HealthcheckInstruction {
  const flags = readFlags(statement, KINDS);
  const type = trimmedToken(statement.rest.text, 0).text.split(/\s/, 1)[0]!;
  const form = 'write HEALTHCHECK CMD command, or HEALTHCHECK NONE';
  const behind = trimmedToken(statement.line.text, statement.rest.start + type.length);
  if (type.toUpperCase() === 'NONE') {
    if (behind.text !== '') fail(statement, behind, 'HEALTHCHECK NONE takes nothing behind it', form);
    return { kind: 'healthcheck', ...nodeOf(statement) };
  }
  if (type.toUpperCase() !== 'CMD') {
    const what = type === '' ? 'HEALTHCHECK needs CMD or NONE' : `HEALTHCHECK does not understand "${type}"`;
    fail(
      statement,
      type === '' ? undefined : { ...statement.rest, end: statement.rest.start + type.length },
      what,
      form,
    );
  }
  const command = readCommand(statement, behind);
  if (command.form === 'exec' ? command.argv.length === 0 : command.line === '') {
    fail(statement, statement.rest, 'HEALTHCHECK CMD has no command', form);
  }
  return {
    kind: 'healthcheck',
    ...nodeOf(statement),
    check: {
      command,
      interval: duration(statement, flags, 'interval'),
      timeout: duration(statement, flags, 'timeout'),
      startPeriod: duration(statement, flags, 'start-period'),
      startInterval: duration(statement, flags, 'start-interval'),
      retries: retries(statement, flags),
    },
  };
}

function duration(statement: Statement, flags: Flags, name: keyof typeof KINDS): number {
  const text = flags.value(name);
  if (text === undefined) return 0;
  const value = parseDuration(text);
  if (value === 0 || (value !== undefined && value >= MILLISECOND)) return value;
  const what = value === undefined ? `the invalid duration "${text}"` : `a duration below 1ms, "${text}"`;
  fail(
    statement,
    flagToken(statement, name),
    `the flag --${name} has ${what}`,
    'write a duration such as 30s or 1m30s',
  );
}

function retries(statement: Statement, flags: Flags): number {
  const text = flags.value('retries');
  if (text === undefined) return 0;
  if (/^\+?\d+$/.test(text) && Number(text) <= 0x7fffffff) return Number(text);
  fail(
    statement,
    flagToken(statement, 'retries'),
    `the flag --retries has the invalid value "${text}"`,
    'write a number',
  );
}

function flagToken(statement: Statement, name: string) {
  return statement.flags.find(({ text }) => text.startsWith(`--${name}=`));
}
