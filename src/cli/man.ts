import { EXIT_CODES } from '../core/error.ts';
import { COMMANDS, flagText, USAGE } from './help.ts';
import { optionsOf } from './options/table.ts';
import { type CommandName, GROUPS, type OptionRow } from './options/types.ts';

/** The pages of the manual by the names of their files, as man(7) writes them: one for the program, one for each command. */
export function manPages(version: string): ReadonlyMap<string, string> {
  const names = Object.keys(USAGE) as CommandName[];
  return new Map(names.map((command) => [`${pageName(command)}.1`, manPage(command, version)]));
}

const pageName = (command: CommandName): string =>
  command === 'start' ? 'envbuilder' : `envbuilder-${command.replaceAll(' ', '-')}`;

function manPage(command: CommandName, version: string): string {
  const [usage = '', ...about] = USAGE[command].split('\n\n');
  const name = pageName(command);
  const short =
    command === 'start' ? 'Build a repository without a container engine, and start it' : COMMANDS[command]!;
  const rows = optionsOf(command);
  const others = Object.entries(COMMANDS).flatMap(([other, text]) => [
    '.TP',
    `.B ${roff(other)}`,
    roff(text),
  ]);
  const codes = Object.entries(EXIT_CODES).flatMap(([code, { exit, text }]) => [
    '.TP',
    `.B ${exit}`,
    roff(`${code}: ${text}.`),
  ]);
  return `${[
    `.TH ${roff(name.toUpperCase())} 1 "" ${quoted(`envbuilder ${version}`)} "envbuilder"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(short)}`,
    '.SH SYNOPSIS',
    '.nf',
    ...usage
      .replace(/^Usage: /, '')
      .split('\n')
      .map((line) => roff(line.trim())),
    '.fi',
    '.SH DESCRIPTION',
    about.map((paragraph) => roff(paragraph.replaceAll('\n', ' '))).join('\n.PP\n'),
    ...(command === 'start' ? ['.SH COMMANDS', ...others] : []),
    '.SH OPTIONS',
    'A flag wins over its variable.',
    ...GROUPS.flatMap((group) => {
      const inGroup = rows.filter((row) => row.group === group);
      return inGroup.length === 0 ? [] : [`.SS ${group}`, ...inGroup.flatMap(optionLines)];
    }),
    ...(command === 'start' ? ['.SH EXIT STATUS', '.TP', '.B 0', 'All went well.', ...codes] : []),
    '.SH SEE ALSO',
    command === 'start' ? '.BR envbuilder-build (1)' : '.BR envbuilder (1)',
  ].join('\n')}\n`;
}

function optionLines(row: OptionRow): string[] {
  const { variable, text } = row;
  const fallback = row.default === undefined ? '' : ` Default: ${row.default}.`;
  const named = variable === undefined ? '' : ` Variable: ${variable}.`;
  return ['.TP', `.B ${roff(flagText(row))}`, roff(`${text}${fallback}${named}`)];
}

const quoted = (text: string): string => `"${roff(text).replaceAll('"', '\\(dq')}"`;

/** A text in which nothing is a request or an escape; hyphens stay what they are, to be copied. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('…', '...')
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\n -~]/gu, (character) => {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      return `\\[u${code}]`;
    });
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
