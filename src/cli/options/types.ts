/** The commands that look into one cache. */
export const STORE_COMMANDS = [
  'cache ls',
  'cache show',
  'cache du',
  'cache verify',
  'cache copy',
  'cache prune',
] as const;

/** Those, and what compares images wherever they are. */
export const CACHE_COMMANDS = [...STORE_COMMANDS, 'cache diff'] as const;

/** The commands that ask registries for images. */
export const IMAGE_COMMANDS = [
  'build',
  'probe',
  'explain',
  'read-configuration',
  'start',
  'up',
  'warm',
  'index',
  ...CACHE_COMMANDS,
] as const;

/** The commands that report how they get on; the others print one thing and end. */
export const REPORTING_COMMANDS = [
  ...IMAGE_COMMANDS,
  'exec',
  'down',
  'list',
  'registry serve',
  'registry gc',
  'registry check',
  'report',
  'login',
  'logout',
] as const;

/** All that an option can apply to; `start` is the program without a command, the drop-in. */
export const COMMAND_NAMES = [...REPORTING_COMMANDS, 'k8s'] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

export type OptionType = 'string' | 'boolean' | 'integer' | 'list' | 'map';

/** Headings of the help and of the reference page, in this order. */
export const GROUPS = [
  'Build',
  'Cache',
  'Output',
  'Registries',
  'Kubernetes',
  'Base image cache',
  'Workspace',
  'Git',
  'Start',
  'Dev container',
  'Container',
  'Registry server',
  'General',
] as const;

export type Group = (typeof GROUPS)[number];

/** One option. The tables of rows drive the flags, the variables, the help and docs/reference/options.md. */
export interface OptionRow {
  /** The flag without its dashes. */
  readonly name: string;
  readonly short?: string;
  /** Other flags with the same meaning; not shown in the help. */
  readonly aliases?: readonly string[];
  /** The environment variable, in full; options that only a command line can sensibly have name none. */
  readonly variable?: string;
  readonly type: OptionType;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  /** Stands for the value in the help. */
  readonly placeholder?: string;
  /** How a list or map is written: comma separated by default; `whole`: one item a flag, commas belong to it. */
  readonly split?: 'whole' | 'semicolon';
  /** One or two sentences for people. */
  readonly text: string;
  readonly commands: readonly CommandName[];
  readonly group: Group;
  /** The value, or a part of it, must never be printed. */
  readonly secret?: true;
}

export type OptionValue = string | boolean | number | readonly string[] | ReadonlyMap<string, string>;

type TypeOf<Row extends OptionRow> = Row['type'] extends 'boolean'
  ? boolean
  : Row['type'] extends 'list'
    ? readonly string[]
    : Row['type'] extends 'map'
      ? ReadonlyMap<string, string>
      : Row['type'] extends 'integer'
        ? WithDefault<Row, number>
        : WithDefault<Row, string>;

type WithDefault<Row extends OptionRow, Value> = Row extends { readonly default: unknown }
  ? Value
  : Value | undefined;

/** The values of a table of rows, by option name. */
export type ValuesOf<Rows extends readonly OptionRow[]> = {
  readonly [Row in Rows[number] as Row['name']]: TypeOf<Row>;
};
