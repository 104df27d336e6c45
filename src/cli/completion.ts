import { AppError } from '../core/error.ts';
import { COMMANDS } from './help.ts';
import { optionsOf } from './options/table.ts';
import type { CommandName, OptionRow } from './options/types.ts';

/** Shells that there are completions for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * A script by which a shell completes commands, flags and the values of flags that have choices; where a flag takes a path,
 * files are completed.
 * @throws AppError USAGE for a shell that is not known
 */
export function completion(shell: string): string {
  if (shell === 'bash') return bash();
  if (shell === 'zsh') return zsh();
  if (shell === 'fish') return fish();
  throw new AppError('USAGE', shell === '' ? 'no shell is named' : `there is no completion for ${shell}`, {
    hint: `write envbuilder completion ${SHELLS.join('|')}`,
  });
}

interface Completed {
  readonly command: string;
  readonly about: string;
  readonly rows: readonly OptionRow[];
}

/** Every command, with the options that it takes. */
function commands(): readonly Completed[] {
  return Object.entries(COMMANDS).map(([command, about]) => {
    const none = command === 'version' || command === 'help' || command === 'completion';
    return { command, about, rows: none ? [] : optionsOf(command as CommandName) };
  });
}

const firstWords = (): readonly string[] => [
  ...new Set(Object.keys(COMMANDS).map((name) => name.split(' ')[0]!)),
];
const secondWords = (first: string): readonly string[] =>
  Object.keys(COMMANDS).flatMap((name) => (name.startsWith(`${first} `) ? [name.split(' ')[1]!] : []));
const groups = (): readonly string[] => firstWords().filter((word) => secondWords(word).length > 0);
const takesPath = ({ placeholder = '' }: OptionRow): boolean => /DIR|FILE|PATH/.test(placeholder);
const takesValue = ({ type }: OptionRow): boolean => type !== 'boolean';

/** Words after flags with choices, and flags whose values are free, as arms of a `case`. */
function valueArms(
  rows: readonly OptionRow[],
  indent: string,
  choose: (words: string) => string,
  free: string,
) {
  const flags = ({ name, short }: OptionRow): string => (short ? `--${name}|-${short}` : `--${name}`);
  const chosen = rows.filter(({ choices }) => choices);
  const others = rows.filter((row) => !row.choices && takesValue(row));
  return [
    ...chosen.map((row) => `${indent}${flags(row)}) ${choose(row.choices!.join(' '))} ;;`),
    ...(others.length > 0 ? [`${indent}${others.map(flags).join('|')}) ${free} ;;`] : []),
  ];
}

function bash(): string {
  const arms = commands().flatMap(({ command, rows }) => [
    `    ${JSON.stringify(command)})`,
    '      case $previous in',
    ...valueArms(
      rows,
      '        ',
      (words) => `COMPREPLY=($(compgen -W "${words}" -- "$word")); return`,
      'COMPREPLY=($(compgen -f -- "$word")); return',
    ),
    '      esac',
    `      flags="${rows.map(({ name }) => `--${name}`).join(' ')} --help" ;;`,
  ]);
  return `${[
    '# Completion of envbuilder for bash; made by: envbuilder completion bash',
    '_envbuilder() {',
    `  local word=$2 previous=$3 command=\${COMP_WORDS[1]} flags=`,
    '  COMPREPLY=()',
    `  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${firstWords().join(' ')}" -- "$word")); return; fi`,
    '  case $command in',
    ...groups().map(
      (group) =>
        `    ${group}) if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "${secondWords(group).join(' ')}" -- "$word")); return; fi; command="$command \${COMP_WORDS[2]}" ;;`,
    ),
    `    help) COMPREPLY=($(compgen -W "${firstWords().join(' ')}" -- "$word")); return ;;`,
    `    completion) COMPREPLY=($(compgen -W "${SHELLS.join(' ')}" -- "$word")); return ;;`,
    '  esac',
    '  case $command in',
    ...arms,
    '  esac',
    '  case $word in',
    '    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;',
    '    *) COMPREPLY=($(compgen -f -- "$word")) ;;',
    '  esac',
    '}',
    'complete -o filenames -F _envbuilder envbuilder',
  ].join('\n')}\n`;
}

/** Texts in single quotes, for zsh and fish. */
const quoted = (text: string, quote = "'\\''"): string => `'${text.replaceAll("'", quote)}'`;

function zsh(): string {
  const described = (name: string, text: string): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${text.replaceAll(':', '\\:')}`);
  const spec = (row: OptionRow): string => {
    const text = row.text.replace(/[[\]\\:]/g, '\\$&');
    const many = row.type === 'list' || row.type === 'map' ? '*' : '';
    if (!takesValue(row)) return quoted(`${many}--${row.name}[${text}]`);
    const values = row.choices ? `(${row.choices.join(' ')})` : takesPath(row) ? '_files' : ' ';
    return quoted(
      `${many}--${row.name}=[${text}]:${row.placeholder?.replace(/[:|=]/g, ' ') ?? 'value'}:${values}`,
    );
  };
  const arms = commands()
    .filter(({ rows }) => rows.length > 0)
    .map(
      ({ command, rows }) =>
        `    ${quoted(command)}) _arguments ${rows.map(spec).join(' ')} ${quoted('*:file:_files')} ;;`,
    );
  return `${[
    '#compdef envbuilder',
    '# Completion of envbuilder for zsh; made by: envbuilder completion zsh',
    '_envbuilder() {',
    '  local -a words_at_first',
    `  words_at_first=(${firstWords()
      .map((word) => described(word, COMMANDS[word] ?? `Commands on a ${word}`))
      .join(' ')})`,
    '  if (( CURRENT == 2 )); then _describe command words_at_first; return; fi',
    '  local command=$words[2]',
    '  case $command in',
    ...groups().map(
      (group) =>
        `    ${group}) if (( CURRENT == 3 )); then compadd ${secondWords(group).join(' ')}; return; fi; command="$command $words[3]"; shift words; (( CURRENT-- )) ;;`,
    ),
    `    help) compadd ${firstWords().join(' ')}; return ;;`,
    `    completion) compadd ${SHELLS.join(' ')}; return ;;`,
    '  esac',
    '  shift words; (( CURRENT-- ))',
    '  case $command in',
    ...arms,
    '  esac',
    '}',
    '_envbuilder "$@"',
  ].join('\n')}\n`;
}

function fish(): string {
  const lines = ['# Completion of envbuilder for fish; made by: envbuilder completion fish'];
  const text = (words: string): string => quoted(words.replaceAll('\\', '\\\\'), "\\'");
  for (const word of firstWords())
    lines.push(
      `complete -c envbuilder -n __fish_use_subcommand -a ${word} -d ${text(COMMANDS[word] ?? `Commands on a ${word}`)}`,
    );
  for (const group of groups())
    for (const word of secondWords(group))
      lines.push(
        `complete -c envbuilder -n '__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${secondWords(group).join(' ')}' -a ${word} -d ${text(COMMANDS[`${group} ${word}`]!)}`,
      );
  lines.push(
    `complete -c envbuilder -n '__fish_seen_subcommand_from completion' -a ${text(SHELLS.join(' '))}`,
  );
  for (const { command, rows } of commands()) {
    const seen = command
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    for (const row of rows) {
      const value = row.choices ? ` -x -a ${text(row.choices.join(' '))}` : takesValue(row) ? ' -r' : '';
      const short = row.short ? ` -s ${row.short}` : '';
      lines.push(`complete -c envbuilder -n '${seen}' -l ${row.name}${short}${value} -d ${text(row.text)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
