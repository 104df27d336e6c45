import { Command, CommanderError, Option } from 'commander';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { didYouMean, nearest } from '../../core/suggest.ts';
import { FLAGS_OF_OTHERS } from './flags-of-others.ts';
import { legacyFlag } from './old-names.ts';
import { OPTIONS, type OptionName, type Options, optionsOf } from './table.ts';
import type { CommandName, OptionRow, OptionValue } from './types.ts';
import { defaultValue, parseValue } from './values.ts';

/** What the command line and the environment ask for. */
export interface Parsed {
  readonly command: CommandName;
  readonly options: Options;
  /** Options that were given, and how. */
  readonly given: ReadonlyMap<OptionName, 'flag' | 'variable'>;
  /** Arguments that are not flags. */
  readonly operands: readonly string[];
  /** Things to tell the user that do not stop the run. */
  readonly warnings: readonly { readonly text: string; readonly hint?: string }[];
}

/** Variables of ours that are no options. */
const OTHER_VARIABLES = ['ENVBUILDER_NODE', 'ENVBUILDER_NODE_FLAGS', 'ENVBUILDER_CACHED_IMAGE'];

/**
 * Reads flags and variables; flags win.
 * @param args what follows the command's name
 * @throws AppError USAGE for a flag that is unknown or not for this command, and for a wrong value
 */
export function parseOptions(command: CommandName, args: readonly string[], env: Environment): Parsed {
  const rows = optionsOf(command);
  const { texts, operands } = readFlags(command, rows, args);
  const given = new Map<OptionName, 'flag' | 'variable'>();
  const options: Record<string, OptionValue | undefined> = {};
  for (const row of OPTIONS) {
    const applies = rows.includes(row);
    const flag = applies ? texts.get(row.name) : undefined;
    // An empty variable counts as unset: that is how a template leaves an option out.
    const variable = row.variable ? env[row.variable] || undefined : undefined;
    options[row.name] = defaultValue(row);
    if (flag) {
      options[row.name] = parseValue(flag, { row, env, source: `--${row.name}` });
      given.set(row.name as OptionName, 'flag');
    } else if (variable !== undefined) {
      if (applies || command === 'start') {
        options[row.name] = parseValue([variable], { row, env, source: row.variable! });
      }
      given.set(row.name as OptionName, 'variable');
    }
  }
  const warnings = [...oldFlags(rows, args), ...unknownVariables(env)];
  return Object.freeze({ command, options: Object.freeze(options) as Options, given, operands, warnings });
}

interface Flags {
  /** The texts of every flag that was given, by option name. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

function readFlags(command: CommandName, rows: readonly OptionRow[], args: readonly string[]): Flags {
  const texts = new Map<string, string[]>();
  const add = (name: string, text: string): void => {
    texts.set(name, [...(texts.get(name) ?? []), text]);
  };
  const program = new Command()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const row of rows) {
    for (const option of commanderOptions(command, row)) {
      program.addOption(option);
      program.on(`option:${option.name()}`, (text: string | null) => add(row.name, text ?? 'true'));
    }
  }
  try {
    const { operands, unknown } = program.parseOptions(spelledOut(command, rows, args));
    const flag = unknown[0];
    if (flag !== undefined) throw unknownFlag(command, rows, flag);
    return { texts, operands };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new AppError('USAGE', error.message.replace(/^error: /, ''), { hint: helpHint(command) });
  }
}

/** Every spelling of a row as an option of its own, so that each is reported under its own event. */
function commanderOptions(command: CommandName, row: OptionRow): Option[] {
  const value = row.type === 'boolean' ? '' : ' <value>';
  const names = longNames(command, row);
  const short = row.short ? [`-${row.short}`] : [];
  return [
    ...[...short, ...names.map((name) => `--${name}`)].map((flag) => new Option(`${flag}${value}`)),
    ...(row.type === 'boolean' ? names.map((name) => new Option(`--${OFF}${name} <value>`)) : []),
  ];
}

/** The flag, its aliases, and in a start what envbuilder (Go) calls it as well. */
function longNames(command: CommandName, row: OptionRow): readonly string[] {
  const legacy = command === 'start' ? legacyFlag(row) : undefined;
  return [row.name, ...(row.aliases ?? []), ...(legacy === undefined ? [] : [legacy])];
}

/** Prefix of the hidden options that take the value of `--name=value` for a boolean. */
const OFF = 'value-of-';

/**
 * Rewrites what commander has no notion of and pflag, which Docker and kaniko use, has: `--name=value` of booleans, `-x=value`,
 * and the same behind further short flags.
 */
function spelledOut(command: CommandName, rows: readonly OptionRow[], args: readonly string[]): string[] {
  const rowOf = new Map<string, OptionRow>();
  for (const row of rows) {
    for (const name of longNames(command, row)) rowOf.set(`--${name}`, row);
    if (row.short) rowOf.set(`-${row.short}`, row);
  }
  const written: string[] = [];
  let isValue = false;
  for (const [i, arg] of args.entries()) {
    if (arg === '--' && !isValue) return [...written, ...args.slice(i)];
    // What follows is the command's.
    if (command === 'exec' && !isValue && !arg.startsWith('-')) return [...written, '--', ...args.slice(i)];
    const row = rowOf.get(arg);
    const [, flag = '', value] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    // The word behind a flag is its value, whatever it looks like.
    if (isValue || row) {
      written.push(arg);
      isValue = !isValue && row?.type !== 'boolean';
    } else if (rowOf.get(flag)?.type === 'boolean') written.push(`--${OFF}${flag.slice(2)}=${value}`);
    else if (/^-[^-]./s.test(arg)) written.push(...shortFlags(rowOf, arg));
    else written.push(arg);
  }
  return written;
}

/** The flags of `-abc=value`, one by one; what is no flag is left for the error. */
function shortFlags(rowOf: ReadonlyMap<string, OptionRow>, arg: string): string[] {
  const written: string[] = [];
  for (let rest = arg.slice(1); rest !== ''; ) {
    const row = rowOf.get(`-${rest[0]}`);
    const tail = rest.slice(1);
    if (!row) return [...written, `-${rest}`];
    const value = tail.startsWith('=') ? tail.slice(1) : tail;
    if (row.type !== 'boolean')
      return [...written, ...(tail === '' ? [`-${rest}`] : [`--${row.name}=${value}`])];
    if (tail.startsWith('=')) return [...written, `--${OFF}${row.name}=${value}`];
    written.push(`--${row.name}`);
    rest = tail;
  }
  return written;
}

function spellings(rows: readonly OptionRow[]): string[] {
  return rows.flatMap((row) => [
    `--${row.name}`,
    ...(row.aliases ?? []).map((alias) => `--${alias}`),
    ...(row.short ? [`-${row.short}`] : []),
  ]);
}

function unknownFlag(command: CommandName, rows: readonly OptionRow[], text: string): AppError {
  const flag = text.replace(/=.*$/s, '');
  const row = OPTIONS.find((option) => spellings([option]).includes(flag));
  if (row) {
    const others = row.commands.map((name) => (name === 'start' ? 'a start' : `envbuilder ${name}`));
    return new AppError('USAGE', `${flag} does not apply to ${nameOf(command)}`, {
      hint: `it is an option of ${others.join(' and ')}`,
    });
  }
  const instead = command === 'build' ? FLAGS_OF_OTHERS[flag] : undefined;
  if (instead !== undefined)
    return new AppError('USAGE', `envbuilder build has no flag ${flag}`, { hint: instead });
  const known = spellings(rows).filter((name) => name.startsWith('--'));
  const match = nearest(flag, known);
  return new AppError('USAGE', `unknown flag ${flag}`, {
    hint: match ? `did you mean ${match}?` : helpHint(command),
  });
}

/** In the manner of old variables. */
function oldFlags(rows: readonly OptionRow[], args: readonly string[]): Parsed['warnings'] {
  const used = rows.filter((row) => {
    const flag = legacyFlag(row);
    return flag !== undefined && args.some((arg) => arg.replace(/=.*$/s, '') === `--${flag}`);
  });
  return used.map((row) => ({
    text: `--${legacyFlag(row)} is an old name`,
    hint: `write --${row.name} instead`,
  }));
}

function unknownVariables(env: Environment): Parsed['warnings'] {
  const known = OPTIONS.flatMap(({ variable }) => (variable ? [variable] : []));
  return Object.keys(env)
    .filter(
      (name) => name.startsWith('ENVBUILDER_') && !known.includes(name) && !OTHER_VARIABLES.includes(name),
    )
    .filter((name) => nearest(name, known) !== undefined)
    .map((name) => ({
      text: `${name} is not a variable that envbuilder knows`,
      hint: didYouMean(name, known),
    }));
}

function nameOf(command: CommandName): string {
  return command === 'start' ? 'envbuilder without a command' : `envbuilder ${command}`;
}

function helpHint(command: CommandName): string {
  return command === 'start' ? 'see envbuilder --help' : `see envbuilder ${command} --help`;
}
