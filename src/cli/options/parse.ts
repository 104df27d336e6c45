import { Command, CommanderError, Option } from 'commander';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { didYouMean, nearest } from '../../core/suggest.ts';
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
  const warnings = unknownVariables(env);
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
    for (const option of commanderOptions(row)) {
      program.addOption(option);
      program.on(`option:${option.name()}`, (text: string | null) => add(row.name, text ?? 'true'));
    }
  }
  try {
    const { operands, unknown } = program.parseOptions(inlineBooleans(rows, args));
    const flag = unknown[0];
    if (flag !== undefined) throw unknownFlag(command, rows, flag);
    return { texts, operands };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new AppError('USAGE', error.message.replace(/^error: /, ''), { hint: helpHint(command) });
  }
}

/** Every spelling of a row as an option of its own, so that each is reported under its own event. */
function commanderOptions(row: OptionRow): Option[] {
  const value = row.type === 'boolean' ? '' : ' <value>';
  const short = row.short ? `-${row.short}, ` : '';
  const long = [`${short}--${row.name}`, ...(row.aliases ?? []).map((alias) => `--${alias}`)];
  const negated =
    row.type === 'boolean' ? [row.name, ...(row.aliases ?? [])].map((name) => `--${OFF}${name} `) : [];
  return [
    ...long.map((flags) => new Option(`${flags}${value}`)),
    ...negated.map((flags) => new Option(`${flags}<value>`)),
  ];
}

/** Prefix of the hidden options that take the value of `--name=value` for a boolean. */
const OFF = 'value-of-';

/** Rewrites `--name=value` of booleans, which commander has no notion of. */
function inlineBooleans(rows: readonly OptionRow[], args: readonly string[]): string[] {
  const booleans = new Set(spellings(rows.filter(({ type }) => type === 'boolean')));
  const valued = new Set(spellings(rows.filter(({ type }) => type !== 'boolean')));
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    if (flag === undefined || (end >= 0 && i > end) || valued.has(args[i - 1] ?? '')) return arg;
    return booleans.has(flag) ? `--${OFF}${flag.slice(2)}=${value}` : arg;
  });
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
  const known = spellings(rows).filter((name) => name.startsWith('--'));
  const match = nearest(flag, known);
  return new AppError('USAGE', `unknown flag ${flag}`, {
    hint: match ? `did you mean ${match}?` : helpHint(command),
  });
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
