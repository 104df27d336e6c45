import type { SourceRange } from '../../core/error.ts';
import { nearest } from '../../core/suggest.ts';
import { variablesIn } from '../expand/expand.ts';
import { resolveBase } from '../graph.ts';
import { tokenRange } from '../parse/logical-line.ts';
import type { Unit } from '../parse/unit.ts';
import type { FromInstruction, Instruction } from '../types.ts';
import { chainUnits } from './commands.ts';
import type { Finding, LintInput } from './types.ts';

/** Variables that nothing defines, in stages that end in scratch: an image may define any. */
export function undefinedVariables(input: LintInput): Finding[] {
  const { dockerfile, units } = input;
  return units.flatMap((unit) => {
    if (unit.stage < 0 || unit.node.kind === 'from') return [];
    const before = chainUnits(input, unit);
    const root = (before[0] ?? unit).stage;
    const from = dockerfile.stages[root]!.from;
    if (resolveBase(dockerfile, root, from.image).type !== 'scratch') return [];
    const known = new Set(['PATH', ...before.flatMap(({ node }) => defined(node))]);
    return expandedWords(unit.node).flatMap(([words, own]) =>
      variablesIn(words, dockerfile.escape)
        .filter((name) => !known.has(name) && !own.includes(name))
        .map((name) => ({
          unit,
          text: `the variable ${name} is not defined${suggestion(name, known)}`,
          ...placeOf(unit, name),
        })),
    );
  });
}

function defined(node: FromInstruction | Instruction): string[] {
  if (node.kind === 'arg') return node.args.map(({ key }) => key);
  return node.kind === 'env' ? node.pairs.map(({ key }) => key) : [];
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
      ]);
    case 'run':
      return plain(node.mounts.map(({ text }) => text));
    case 'workdir':
      return plain([node.path]);
    case 'user':
      return plain([node.user]);
    case 'expose':
      return plain(node.ports);
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
