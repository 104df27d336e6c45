import type { SourceRange } from '../../core/error.ts';
import { nearest } from '../../core/suggest.ts';
import { variablesIn } from '../expand/expand.ts';
import type { Escape } from '../parse/directives.ts';
import { tokenRange } from '../parse/logical-line.ts';
import type { Unit } from '../parse/unit.ts';
import type { Instruction } from '../types.ts';

/** A variable that an instruction reads and nothing defines. */
export interface UndefinedVariable {
  readonly name: string;
  /** A sentence about it. */
  readonly text: string;
}

/**
 * The variables that an instruction reads, besides those in its commands, and nothing defines.
 * @param defined the names that are defined before it
 */
export function undefinedVariables(
  node: Instruction,
  defined: ReadonlySet<string>,
  escapeChar: Escape,
): readonly UndefinedVariable[] {
  const found = new Map<string, UndefinedVariable>();
  for (const [words, own] of expandedWords(node)) {
    for (const name of variablesIn(words, escapeChar)) {
      if (defined.has(name) || own.includes(name)) continue;
      found.set(name, { name, text: `the variable ${name} is not defined${suggestion(name, defined)}` });
    }
  }
  return [...found.values()];
}

/** The words that an instruction expands, each with the names that the instruction itself defines before them. */
function expandedWords(node: Instruction): [string, string[]][] {
  const plain = (words: readonly (string | undefined)[]): [string, string[]][] =>
    words.map((word) => [word ?? '', []]);
  switch (node.kind) {
    case 'arg':
      return node.args.map(({ value = '' }, index) => [
        value,
        node.args.slice(0, index).map(({ key }) => key),
      ]);
    case 'env':
    case 'label':
      return plain(node.pairs.flatMap(({ key, value }) => [key, value]));
    case 'copy':
    case 'add':
      return plain([
        ...node.sources,
        node.destination,
        node.chown,
        node.chmod,
        node.kind === 'add' ? node.checksum : '',
        ...node.heredocs.filter(({ expand }) => expand).map(({ content }) => content),
      ]);
    case 'run':
      return plain(node.mounts.map(({ text }) => text));
    case 'workdir':
      return plain([node.path]);
    case 'user':
      return plain([node.user]);
    case 'volume':
      return plain(node.paths);
    case 'stopsignal':
      return plain([node.signal]);
    default:
      return [];
  }
}

/** ` (did you mean X?)`, or nothing. */
export function suggestion(name: string, known: Iterable<string>): string {
  const match = nearest(name, known);
  return match === undefined ? '' : ` (did you mean ${match}?)`;
}

/** Where an instruction first reads a variable; nothing when the name is not written out there. */
export function placeOf({ statement }: Unit, name: string): { range?: SourceRange } {
  const { source, line, keyword } = statement;
  for (const mark of [`\${${name}`, `$${name}`]) {
    const start = line.text.indexOf(mark, keyword.end);
    if (start === -1) continue;
    const end = start + mark.length + (line.text[start + mark.length] === '}' ? 1 : 0);
    return { range: tokenRange(source, line, { text: mark, start, end }) };
  }
  return {};
}
